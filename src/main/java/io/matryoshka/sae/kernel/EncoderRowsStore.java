package io.matryoshka.sae.kernel;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.IntStream;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps prepared encoders on disk. A file is written under a name of its own and moved into place
 * at once, so concurrent writers and a kill at any moment leave no half file under the final name;
 * a file that is stale, of another version or damaged is ignored and written anew.
 *
 * <p>Layout, little-endian: magic, version, {@code d_in}, {@code d_sae} (4 x int32), fingerprint of
 * the weights (int64), then the part checksums (CRC32C, one int32 for each of the latent arrays,
 * the codes and the rows of each segment), then step, norm and residual norm ({@code [d_sae]}
 * float32 each), then per segment the codes and the rows, each part beginning at a multiple of
 * 4096.
 */
public final class EncoderRowsStore {

  private static final Logger LOG = LoggerFactory.getLogger(EncoderRowsStore.class);

  private static final int MAGIC = 0x4d534145;
  private static final int VERSION = 1;
  private static final int PAGE = 4096;
  private static final int HEADER_INTS = 6;

  private final Path file;
  private final long fingerprint;

  /**
   * Makes a store for one encoder.
   *
   * @param file where the prepared data lies or shall lie
   * @param fingerprint a number that changes whenever the weights do
   */
  public EncoderRowsStore(Path file, long fingerprint) {
    this.file = file;
    this.fingerprint = fingerprint;
  }

  /** Maps the stored encoder, or builds it and stores it where possible. */
  EncoderRows loadOrBuild(WeightSource source, int dIn, int dSae) throws IOException {
    Layout layout = new Layout(dIn, dSae);
    Optional<EncoderRows> stored = load(layout);
    if (stored.isPresent()) {
      return stored.get();
    }
    Path part = file.resolveSibling(file.getFileName() + "." + UUID.randomUUID() + ".part");
    try {
      Files.createDirectories(file.toAbsolutePath().getParent());
      EncoderRows built = build(part, layout, source);
      moveIntoPlace(part);
      return built;
    } catch (IOException e) {
      LOG.debug("prepared encoder is not kept at {}: {}", file, e.toString());
      Files.deleteIfExists(part);
      return PreparedEncoder.inMemory(source, dIn, dSae);
    }
  }

  private void moveIntoPlace(Path part) throws IOException {
    try {
      Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (AtomicMoveNotSupportedException e) {
      Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  private EncoderRows build(Path part, Layout layout, WeightSource source) throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            part,
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE)) {
      if (Files.getFileStore(part).getUsableSpace() < layout.size + (64L << 20)) {
        throw new IOException("too little space for " + layout.size + " bytes");
      }
      ByteBuffer[] codes = new ByteBuffer[layout.segments];
      ByteBuffer[] rows = new ByteBuffer[layout.segments];
      for (int s = 0; s < layout.segments; s++) {
        codes[s] = layout.codes(s, channel, FileChannel.MapMode.READ_WRITE);
        rows[s] = layout.rows(s, channel, FileChannel.MapMode.READ_WRITE);
      }
      EncoderRows built = EncoderRowsBuilder.build(source, layout.dIn, layout.dSae, rows, codes);
      MappedByteBuffer head = map(channel, FileChannel.MapMode.READ_WRITE, 0, layout.headBytes);
      head.position(layout.arraysAt);
      for (float[] array : new float[][] {built.step, built.norm, built.residualNorm}) {
        head.asFloatBuffer().put(array);
        head.position(head.position() + array.length * Float.BYTES);
      }
      writeHeader(head, layout, checksums(head, layout, codes, rows));
      head.force();
      return built;
    }
  }

  private void writeHeader(ByteBuffer head, Layout layout, int[] checksums) {
    head.rewind();
    head.putInt(MAGIC).putInt(VERSION).putInt(layout.dIn).putInt(layout.dSae);
    head.putLong(fingerprint);
    for (int checksum : checksums) {
      head.putInt(checksum);
    }
  }

  private Optional<EncoderRows> load(Layout layout) {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      if (channel.size() != layout.size) {
        return Optional.empty();
      }
      ByteBuffer head = map(channel, FileChannel.MapMode.READ_ONLY, 0, layout.headBytes);
      boolean same =
          head.getInt() == MAGIC
              && head.getInt() == VERSION
              && head.getInt() == layout.dIn
              && head.getInt() == layout.dSae
              && head.getLong() == fingerprint;
      if (!same) {
        return Optional.empty();
      }
      ByteBuffer[] codes = new ByteBuffer[layout.segments];
      ByteBuffer[] rows = new ByteBuffer[layout.segments];
      for (int s = 0; s < layout.segments; s++) {
        codes[s] = layout.codes(s, channel, FileChannel.MapMode.READ_ONLY);
        rows[s] = layout.rows(s, channel, FileChannel.MapMode.READ_ONLY);
      }
      for (int checksum : checksums(head, layout, codes, rows)) {
        if (head.getInt() != checksum) {
          LOG.warn("prepared encoder {} is damaged and will be made anew", file);
          return Optional.empty();
        }
      }
      float[][] arrays = new float[3][layout.dSae];
      head.position(layout.arraysAt);
      for (float[] array : arrays) {
        head.asFloatBuffer().get(array);
        head.position(head.position() + array.length * Float.BYTES);
      }
      return Optional.of(
          new EncoderRows(layout.dIn, layout.dSae, rows, codes, arrays[0], arrays[1], arrays[2]));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** Checksums of the latent arrays, then of the codes and rows of each segment. */
  private static int[] checksums(
      ByteBuffer head, Layout layout, ByteBuffer[] codes, ByteBuffer[] rows) {
    ByteBuffer[] parts = new ByteBuffer[layout.checksums];
    parts[0] = head.slice(layout.arraysAt, 3 * layout.dSae * Float.BYTES);
    for (int s = 0; s < layout.segments; s++) {
      parts[1 + 2 * s] = codes[s];
      parts[2 + 2 * s] = rows[s];
    }
    return IntStream.range(0, parts.length).parallel().map(p -> checksum(parts[p])).toArray();
  }

  private static int checksum(ByteBuffer part) {
    int piece = 16 << 20;
    int pieces = (part.capacity() + piece - 1) / piece;
    int[] sums =
        IntStream.range(0, pieces)
            .parallel()
            .map(
                p -> {
                  CRC32C crc = new CRC32C();
                  int begin = p * piece;
                  crc.update(part.slice(begin, Math.min(piece, part.capacity() - begin)));
                  return (int) crc.getValue();
                })
            .toArray();
    CRC32C all = new CRC32C();
    ByteBuffer bytes = ByteBuffer.allocate(sums.length * Integer.BYTES);
    bytes.asIntBuffer().put(sums);
    all.update(bytes);
    return (int) all.getValue();
  }

  private static MappedByteBuffer map(
      FileChannel channel, FileChannel.MapMode mode, long position, long size) throws IOException {
    MappedByteBuffer buffer = channel.map(mode, position, size);
    buffer.order(ByteOrder.LITTLE_ENDIAN);
    return buffer;
  }

  /** Where each part lies. */
  private static final class Layout {
    final int dIn;
    final int dSae;
    final int segments;
    final int checksums;
    final int arraysAt;
    final long headBytes;
    final long size;
    private final long[] codesAt;
    private final long[] rowsAt;

    Layout(int dIn, int dSae) {
      this.dIn = dIn;
      this.dSae = dSae;
      segments = EncoderRows.segments(dIn, dSae);
      checksums = 1 + 2 * segments;
      arraysAt = (HEADER_INTS + checksums) * Integer.BYTES;
      headBytes = arraysAt + 3L * dSae * Float.BYTES;
      codesAt = new long[segments];
      rowsAt = new long[segments];
      long at = headBytes;
      for (int s = 0; s < segments; s++) {
        codesAt[s] = page(at);
        rowsAt[s] = page(codesAt[s] + elements(s));
        at = rowsAt[s] + elements(s) * Float.BYTES;
      }
      size = at;
    }

    ByteBuffer codes(int segment, FileChannel channel, FileChannel.MapMode mode)
        throws IOException {
      return map(channel, mode, codesAt[segment], elements(segment));
    }

    ByteBuffer rows(int segment, FileChannel channel, FileChannel.MapMode mode) throws IOException {
      return map(channel, mode, rowsAt[segment], elements(segment) * Float.BYTES);
    }

    private long elements(int segment) {
      return (long) EncoderRows.latentsIn(segment, dIn, dSae) * dIn;
    }

    private static long page(long position) {
      return (position + PAGE - 1) / PAGE * PAGE;
    }
  }
}
