/**
 * Model activations from files larger than memory, and runs over them that survive an interruption.
 *
 * <p>{@link io.matryoshka.sae.stream.ActivationSource} reads many {@code .safetensors} and {@code
 * .npy} files as one sequence of rows, in batches, with a bounded amount of memory. {@link
 * io.matryoshka.sae.stream.ActivationFiles} finds the files that a user names. {@link
 * io.matryoshka.sae.stream.EncodeRun} encodes a source to files of sparse latents.
 *
 * <p>Not here: collecting activations from a model, and what the activations mean.
 *
 * <p>No method of this package takes or returns {@code null}; an absent value is an {@link
 * java.util.Optional}.
 */
package io.matryoshka.sae.stream;
