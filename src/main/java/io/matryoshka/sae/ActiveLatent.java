package io.matryoshka.sae;

/**
 * One active latent of a token.
 *
 * @param latent index of the latent, from 0
 * @param activation its activation
 */
public record ActiveLatent(int latent, float activation) {}
