package io.matryoshka.sae.eval;

/**
 * The metrics of one prefix width.
 *
 * @param width number of leading latents that encode and decode
 * @param explainedVariance explained variance, all variants
 * @param reconstruction how close reconstructions are
 * @param sparsity how many latents are active
 * @param liveness how many of the latents below the width fire at all
 */
public record WidthMetrics(
    int width,
    ExplainedVariance explainedVariance,
    Reconstruction reconstruction,
    Sparsity sparsity,
    Liveness liveness) {}
