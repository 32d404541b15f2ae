package io.matryoshka.sae.explore;

/**
 * How much of a parent's direction is carried by its children, on tokens that have it.
 *
 * @param parent the latent
 * @param tokens tokens whose projection on the parent's direction is at least its mean activation
 * @param silent those of them where the parent does not fire
 * @param fraction mean absorption fraction over these tokens, 0 to 1, lower is better; NaN without
 *     tokens
 * @param full share of these tokens that are fully absorbed, 0 to 1; NaN without tokens
 * @param topChild the child that carried most, on the largest number of tokens with a fraction
 *     above 0, ties by the lower index; -1 if there is no such token
 * @param topChildTokens the number of those tokens
 */
public record Absorption(
    int parent,
    long tokens,
    long silent,
    double fraction,
    double full,
    int topChild,
    long topChildTokens) {}
