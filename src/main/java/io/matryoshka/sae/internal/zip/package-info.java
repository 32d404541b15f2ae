/**
 * Reads the table of contents of a zip archive and the bytes of its members, strictly: what two
 * programs could read in two ways is refused. Nothing is unpacked to a name of the archive.
 *
 * <p>No amount of memory is allocated on the word of a file. No method of this package takes or
 * returns {@code null}.
 *
 * @see <a href="https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT">the format</a>
 */
package io.matryoshka.sae.internal.zip;
