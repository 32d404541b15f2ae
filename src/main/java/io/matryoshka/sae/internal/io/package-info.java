/**
 * Bytes of files by position, files that appear whole or not at all, temporary files that do not
 * stay behind, and the folders and paths that environment variables name. No API for users.
 *
 * <p>No method of this package takes or returns {@code null}.
 */
package io.matryoshka.sae.internal.io;
