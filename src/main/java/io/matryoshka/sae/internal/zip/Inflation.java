package io.matryoshka.sae.internal.zip;

import io.matryoshka.sae.store.ByteSource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * Unpacks a deflated member from its first byte to its last, never more than it is said to have.
 */
final class Inflation implements AutoCloseable {

  static final int CHUNK_BYTES = 1 << 16;

  private final ByteSource source;
  private final ZipMember member;
  private final Inflater inflater = new Inflater(true);
  private final ByteBuffer packed = ByteBuffer.allocate(CHUNK_BYTES);
  private final CRC32 sum = new CRC32();
  private long next;
  private long left;
  private long done;

  /** Starts at the packed bytes of a member. */
  Inflation(ByteSource source, ZipMember member, long position) {
    this.source = source;
    this.member = member;
    this.next = position;
    this.left = member.storedSize();
  }

  /**
   * Unpacks some bytes to a buffer.
   *
   * @return false after the last byte, when size and checksum were compared
   */
  boolean read(ByteBuffer target) throws IOException {
    while (true) {
      int begin = target.position();
      try {
        // Room for one more byte shows a member that is longer than it is said to be.
        int count =
            target.hasRemaining() ? inflater.inflate(target) : inflater.inflate(new byte[1]);
        done += count;
        if (done > member.size()) {
          throw fault(
              "unpacks to more than the " + member.size() + " bytes that it is said to have");
        }
        if (count > 0) {
          sum.update(target.duplicate().position(begin).limit(begin + count));
          return true;
        }
      } catch (DataFormatException e) {
        throw new ZipFormatException(
            source.name() + ": member '" + member.name() + "' is damaged: " + e.getMessage(), e);
      }
      if (inflater.finished()) {
        requireWhole();
        return false;
      }
      if (inflater.needsDictionary() || left == 0) {
        throw fault("ends before its last byte");
      }
      fill();
    }
  }

  private void fill() throws IOException {
    int count = (int) Math.min(left, CHUNK_BYTES);
    source.readFully(next, packed.clear().limit(count));
    inflater.setInput(packed.flip());
    next += count;
    left -= count;
  }

  private void requireWhole() throws ZipFormatException {
    if (done != member.size() || left != 0 || inflater.getRemaining() != 0) {
      throw fault("unpacks to " + done + " bytes, but is said to have " + member.size());
    }
    requireSum(sum, member, source.name());
  }

  static void requireSum(CRC32 sum, ZipMember member, String archive) throws ZipFormatException {
    if (sum.getValue() != member.crc32()) {
      throw new ZipFormatException(
          "%s: member '%s' is damaged: checksum %08x, expected %08x"
              .formatted(archive, member.name(), sum.getValue(), member.crc32()));
    }
  }

  private ZipFormatException fault(String message) {
    return new ZipFormatException(source.name() + ": member '" + member.name() + "' " + message);
  }

  @Override
  public void close() {
    inflater.end();
  }
}
