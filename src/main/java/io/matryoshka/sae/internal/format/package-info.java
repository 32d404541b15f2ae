/**
 * The formats in which SAEs are published: which files a folder holds, what they say, and how their
 * tensors become those of SAELens. No API for users.
 *
 * <p>To add one: a constant of {@link io.matryoshka.sae.internal.format.SaeFormat} and a reader
 * beside it.
 *
 * <p>No method of this package takes or returns {@code null}.
 */
package io.matryoshka.sae.internal.format;
