package io.matryoshka.sae.hub;

/**
 * Consecutive bytes of a file.
 *
 * @param offset the first byte, counted from 0
 * @param length how many, at least 1; a range is read into one buffer
 */
public record ByteRange(long offset, int length) {

  /**
   * Checks both numbers.
   *
   * @param offset the first byte
   * @param length how many
   * @throws IllegalArgumentException if the offset is negative or the length below 1
   */
  public ByteRange {
    if (offset < 0 || length < 1) {
      throw new IllegalArgumentException(
          "range: expected an offset of at least 0 and a length of at least 1, got "
              + offset
              + " and "
              + length);
    }
  }

  /**
   * Returns where the range ends.
   *
   * @return the first byte after it
   */
  public long end() {
    return offset + length;
  }
}
