package io.matryoshka.sae.eval;

/**
 * A few rows that hold nearly all of the squared norm of the activations, as the first token of
 * each prompt often does. They alone decide mean squared error and explained variance.
 *
 * @param rows number of these rows, at most 15 % of the counted ones
 * @param share their share of the sum of squared norms, 0.9 to 1
 */
public record NormOutliers(long rows, double share) {}
