/**
 * What a file is, wherever it is stored: a name, a size and a date ({@link
 * io.matryoshka.sae.store.StoredFile}), and bytes that are read by position ({@link
 * io.matryoshka.sae.store.ByteSource}). The library has the files of the disk; other stores
 * implement these two. Nothing is written through this package, and no folder is listed.
 *
 * <p>No argument and no result is {@code null}.
 */
package io.matryoshka.sae.store;
