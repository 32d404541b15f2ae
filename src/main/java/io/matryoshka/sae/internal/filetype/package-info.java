/**
 * Recognises a file by its first bytes, so that a message can name what a person pointed at: a Git
 * LFS pointer, an archive of PyTorch or NumPy, an error page.
 *
 * <p>Not here: reading any of them. No public method takes or returns {@code null}.
 */
package io.matryoshka.sae.internal.filetype;
