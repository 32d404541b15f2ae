/**
 * Bytes in files: reading by position, whatever the format above.
 *
 * <p>No method of this package takes or returns {@code null}.
 */
package io.matryoshka.sae.io;
