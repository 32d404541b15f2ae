package io.matryoshka.sae.internal.zip;

/**
 * An entry of the table of contents.
 *
 * @param name the name, checked to be a relative path without {@code .}, {@code ..} and backslashes
 * @param deflated whether the bytes are deflated; else they are stored as they are
 * @param crc32 the checksum of the bytes
 * @param storedSize the number of bytes in the archive
 * @param size the number of bytes of the member
 * @param headerPosition the place of the member's own header in the archive
 * @param limit the byte of the archive at which the next member, or the table, starts
 */
public record ZipMember(
    String name,
    boolean deflated,
    long crc32,
    long storedSize,
    long size,
    long headerPosition,
    long limit) {

  ZipMember before(long nextPosition) {
    return new ZipMember(name, deflated, crc32, storedSize, size, headerPosition, nextPosition);
  }
}
