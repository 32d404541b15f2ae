/**
 * Matryoshka sparse autoencoders on the JVM: load a pretrained SAE, encode activations to sparse
 * latents, decode them, and look at nested prefixes of the latents.
 *
 * <p>No method of this package takes or returns {@code null}; an absent value is an {@link
 * java.util.Optional}.
 */
package io.matryoshka.sae;
