package io.matryoshka.sae.internal.kernel.prepared;

import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.util.stream.IntStream;
import java.util.zip.CRC32C;

/**
 * The format of a prepared encoder on disk, little-endian: magic, version, {@code d_in}, {@code
 * d_sae} (4 x int32), fingerprint of the weights (int64); checksums (CRC32C, int32) of the latent
 * norms, then of the codes and of the rows of each group of {@link EncoderRows#groupLatents}
 * latents; step, norm and residual norm ({@code [d_sae]} float32 each); then for each segment the
 * codes and the rows, each beginning at a multiple of 4096.
 *
 * <p>Everything is written and checked through small buffers. A file that is mapped brings no pages
 * into the memory of the process before they are used, and a full disk is an {@link IOException}.
 */
final class EncoderFile {

  private static final int MAGIC = 0x4d534145;
  private static final int VERSION = 2;
  private static final int PAGE = 4096;
  private static final int FIXED_BYTES = 4 * Integer.BYTES + Long.BYTES;
  private static final int CHUNK_BYTES = 1 << 18;

  /** What a file is to the encoder that is wanted. */
  enum State {
    VALID,
    /** Of other weights, of another version, or no such file at all. */
    STALE,
    CORRUPT
  }

  private final int dIn;
  private final int dSae;
  private final long fingerprint;
  private final int groupLatents;
  private final int segments;
  private final int[] checksums;
  private final int normsAt;
  private final long[] codesAt;
  private final long[] rowsAt;
  private final long size;

  EncoderFile(int dIn, int dSae, long fingerprint) {
    this.dIn = dIn;
    this.dSae = dSae;
    this.fingerprint = fingerprint;
    groupLatents = EncoderRows.groupLatents(dIn);
    segments = EncoderRows.segments(dIn, dSae);
    checksums = new int[1 + 2 * ((dSae + groupLatents - 1) / groupLatents)];
    normsAt = FIXED_BYTES + checksums.length * Integer.BYTES;
    codesAt = new long[segments];
    rowsAt = new long[segments];
    long at = normsAt + 3L * dSae * Float.BYTES;
    for (int s = 0; s < segments; s++) {
      codesAt[s] = page(at);
      rowsAt[s] = page(codesAt[s] + elements(s));
      at = rowsAt[s] + elements(s) * Float.BYTES;
    }
    size = at;
  }

  /** Bytes of the whole file. */
  long size() {
    return size;
  }

  /** Writes one group of latents, see {@link RowSink}. */
  void write(FileChannel channel, int first, int count, float[] rows, byte[] codes)
      throws IOException {
    int sum = 1 + 2 * (first / groupLatents);
    int elements = count * dIn;
    checksums[sum] = write(channel, codesAt(first), ByteBuffer.wrap(codes, 0, elements));
    CRC32C crc = new CRC32C();
    ByteBuffer chunk = buffer(CHUNK_BYTES);
    long at = rowsAt(first);
    for (int done = 0; done < elements; ) {
      int floats = Math.min(CHUNK_BYTES / Float.BYTES, elements - done);
      chunk.clear().limit(floats * Float.BYTES);
      chunk.asFloatBuffer().put(rows, done, floats);
      crc.update(chunk.duplicate());
      put(channel, at + (long) done * Float.BYTES, chunk);
      done += floats;
    }
    checksums[sum + 1] = (int) crc.getValue();
  }

  /** Writes the beginning, after all groups; without it the file is nothing. */
  void writeHead(FileChannel channel, LatentNorms norms) throws IOException {
    ByteBuffer array = buffer(3 * dSae * Float.BYTES);
    array.asFloatBuffer().put(norms.step()).put(norms.norm()).put(norms.residualNorm());
    checksums[0] = write(channel, normsAt, array);
    ByteBuffer head = buffer(normsAt);
    head.putInt(MAGIC).putInt(VERSION).putInt(dIn).putInt(dSae).putLong(fingerprint);
    head.asIntBuffer().put(checksums);
    put(channel, 0, head.rewind());
  }

  /** Reads the whole file and tells whether every byte of it is what was written. */
  State check(FileChannel channel) throws IOException {
    if (channel.size() != size) {
      return State.STALE;
    }
    ByteBuffer head = get(channel, 0, normsAt);
    boolean same =
        head.getInt() == MAGIC
            && head.getInt() == VERSION
            && head.getInt() == dIn
            && head.getInt() == dSae
            && head.getLong() == fingerprint;
    if (!same) {
      return State.STALE;
    }
    head.asIntBuffer().get(checksums);
    try {
      return IntStream.range(0, checksums.length).parallel().allMatch(c -> isSound(channel, c))
          ? State.VALID
          : State.CORRUPT;
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private boolean isSound(FileChannel channel, int number) {
    int first = (number - 1) / 2 * groupLatents;
    long elements = (long) Math.min(groupLatents, dSae - first) * dIn;
    try {
      int sum;
      if (number == 0) {
        sum = checksum(channel, normsAt, 3L * dSae * Float.BYTES);
      } else if (number % 2 == 1) {
        sum = checksum(channel, codesAt(first), elements);
      } else {
        sum = checksum(channel, rowsAt(first), elements * Float.BYTES);
      }
      return sum == checksums[number];
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Maps a file that is sound. */
  EncoderRows map(FileChannel channel) throws IOException {
    ByteBuffer[] codes = new ByteBuffer[segments];
    ByteBuffer[] rows = new ByteBuffer[segments];
    for (int s = 0; s < segments; s++) {
      codes[s] = map(channel, codesAt[s], elements(s));
      rows[s] = map(channel, rowsAt[s], elements(s) * Float.BYTES);
    }
    LatentNorms norms = new LatentNorms(dSae);
    ByteBuffer array = get(channel, normsAt, 3 * dSae * Float.BYTES);
    array.asFloatBuffer().get(norms.step()).get(norms.norm()).get(norms.residualNorm());
    return new EncoderRows(dIn, dSae, rows, codes, norms);
  }

  private static MappedByteBuffer map(FileChannel channel, long position, long bytes)
      throws IOException {
    MappedByteBuffer buffer = channel.map(FileChannel.MapMode.READ_ONLY, position, bytes);
    buffer.order(ByteOrder.LITTLE_ENDIAN);
    return buffer;
  }

  private static int write(FileChannel channel, long position, ByteBuffer bytes)
      throws IOException {
    CRC32C crc = new CRC32C();
    crc.update(bytes.duplicate());
    put(channel, position, bytes);
    return (int) crc.getValue();
  }

  private static int checksum(FileChannel channel, long position, long bytes) throws IOException {
    CRC32C crc = new CRC32C();
    ByteBuffer chunk = buffer((int) Math.min(CHUNK_BYTES, bytes));
    for (long done = 0; done < bytes; done += chunk.limit()) {
      chunk.clear().limit((int) Math.min(chunk.capacity(), bytes - done));
      fill(channel, position + done, chunk);
      crc.update(chunk);
    }
    return (int) crc.getValue();
  }

  private static ByteBuffer get(FileChannel channel, long position, int bytes) throws IOException {
    ByteBuffer buffer = buffer(bytes);
    fill(channel, position, buffer);
    return buffer;
  }

  /** Fills a buffer in pieces: the system keeps a buffer of the size of the largest. */
  private static void fill(FileChannel channel, long position, ByteBuffer target)
      throws IOException {
    int end = target.limit();
    while (target.position() < end) {
      target.limit(Math.min(end, target.position() + CHUNK_BYTES));
      long at = position + target.position();
      if (channel.read(target, at) < 0) {
        throw new EOFException("the file ends at byte " + at);
      }
    }
    target.flip();
  }

  /** Writes what is left of a buffer, in pieces likewise. */
  private static void put(FileChannel channel, long position, ByteBuffer bytes) throws IOException {
    int begin = bytes.position();
    int end = bytes.limit();
    while (bytes.position() < end) {
      bytes.limit(Math.min(end, bytes.position() + CHUNK_BYTES));
      channel.write(bytes, position + bytes.position() - begin);
    }
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private long elements(int segment) {
    return (long) EncoderRows.latentsIn(segment, dIn, dSae) * dIn;
  }

  private long codesAt(int latent) {
    return codesAt[segment(latent)] + inSegment(latent);
  }

  private long rowsAt(int latent) {
    return rowsAt[segment(latent)] + inSegment(latent) * Float.BYTES;
  }

  private int segment(int latent) {
    return latent / EncoderRows.segmentLatents(dIn);
  }

  private long inSegment(int latent) {
    return (long) (latent % EncoderRows.segmentLatents(dIn)) * dIn;
  }

  private static long page(long position) {
    return (position + PAGE - 1) / PAGE * PAGE;
  }
}
