package io.matryoshka.sae.explore;

/**
 * A latent whose direction is near that of another.
 *
 * @param latent its index
 * @param cosine cosine of the angle between the directions, -1 to 1, in double precision
 */
public record Neighbour(int latent, double cosine) {}
