/**
 * Looks at single latents of an SAE: where they fire most ({@link
 * io.matryoshka.sae.explore.TopContexts}), which others point the same way ({@link
 * io.matryoshka.sae.explore.NearestLatents}), which fire with them across Matryoshka levels ({@link
 * io.matryoshka.sae.explore.CoactivationCounter}), which parents are absorbed by their children
 * ({@link io.matryoshka.sae.explore.AbsorptionCheck}), and how they differ between two sets of
 * activations or two SAEs ({@link io.matryoshka.sae.explore.LatentDifference}). {@link
 * io.matryoshka.sae.explore.Explorer} does it all and makes a report.
 *
 * <p>A <i>level</i> is the latents that one Matryoshka width adds to the one before. A
 * <i>parent</i> is a latent of a lower level than its <i>child</i>. No method takes or returns
 * {@code null}.
 */
package io.matryoshka.sae.explore;
