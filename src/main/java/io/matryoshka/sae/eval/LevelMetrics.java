package io.matryoshka.sae.eval;

/**
 * What one Matryoshka level adds: the latents from the previous width to its own.
 *
 * @param from first latent of the level
 * @param to first latent after it, the width that the level completes
 * @param l0 active latents of the level a row; NaN for no rows
 * @param l0Share {@code l0} divided by the L0 of all latents, 0 to 1; the shares add up to 1. NaN
 *     if nothing fires
 * @param explainedVarianceGain pooled explained variance at the width of this level minus that of
 *     the previous one; the first level counts from 0, the mean activation
 * @param explainedVarianceShare the gain divided by the pooled explained variance of all latents;
 *     the shares add up to 1, and one is negative where more latents reconstruct worse. NaN if the
 *     explained variance is 0 or NaN
 * @param liveness how many latents of the level fire
 */
public record LevelMetrics(
    int from,
    int to,
    double l0,
    double l0Share,
    double explainedVarianceGain,
    double explainedVarianceShare,
    Liveness liveness) {}
