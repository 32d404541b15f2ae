/**
 * Reads and writes the safetensors format: a memory-mapped, validating reader and a streaming
 * writer.
 *
 * <p>A file is an 8-byte little-endian length, a JSON header of that many bytes, and a body of raw
 * little-endian tensors. The reader accepts and refuses exactly the files that the reference
 * implementation, the Rust crate {@code safetensors} 0.8.0, accepts and refuses, and it checks the
 * whole header before it hands out a single byte of a tensor. No amount of memory is allocated on
 * the word of a file.
 *
 * <p>Not here: downloading files, knowing which tensors a sparse autoencoder has, and arithmetic on
 * tensors.
 *
 * <p>No method of this package takes or returns {@code null}; an absent value is an {@link
 * java.util.Optional}.
 */
package io.matryoshka.sae.safetensors;
