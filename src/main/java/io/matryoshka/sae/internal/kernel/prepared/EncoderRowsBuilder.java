package io.matryoshka.sae.internal.kernel.prepared;

import io.matryoshka.sae.internal.kernel.Rounding;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;

/**
 * Transposes and quantises an encoder in parallel, a group of latents at a time. The weights are
 * read through a small buffer, so each thread holds the rows and codes of one group and no more.
 */
public final class EncoderRowsBuilder {

  /** Weights of one read, to bring the file into the system's cache. */
  private static final int READ_AHEAD = 1 << 20;

  /** Input dimensions that are transposed together: one cache line of a row. */
  private static final int TILE_DIMS = 16;

  /** Weights below this are treated as 0 by the codes; the residual norm accounts for them. */
  private static final float MIN_STEP = 0x1p-100f;

  private static final int MAX_CODE = 127;

  /** Added and taken off, it rounds to the nearest integer, ties to even, as {@code Math.rint}. */
  private static final double TO_INTEGER = 0x1.8p52;

  private static final int HEAP_SHARE = 4;

  private final WeightSource source;
  private final int dIn;
  private final int dSae;
  private final int groupLatents;
  private final RowSink sink;
  private final LatentNorms norms;

  private EncoderRowsBuilder(WeightSource source, int dIn, int dSae, RowSink sink) {
    this.source = source;
    this.dIn = dIn;
    this.dSae = dSae;
    this.groupLatents = EncoderRows.groupLatents(dIn);
    this.sink = sink;
    this.norms = new LatentNorms(dSae);
  }

  /**
   * Lays all rows out in native memory.
   *
   * @param source {@code W_enc [d_in, d_sae]}
   * @return the rows and their codes
   * @throws IOException if the weights cannot be read
   */
  public static EncoderRows inMemory(WeightSource source, int dIn, int dSae) throws IOException {
    int segments = EncoderRows.segments(dIn, dSae);
    ByteBuffer[] floats = new ByteBuffer[segments];
    ByteBuffer[] codes = new ByteBuffer[segments];
    for (int s = 0; s < segments; s++) {
      int size = Math.multiplyExact(EncoderRows.latentsIn(s, dIn, dSae), dIn);
      floats[s] = NativeBytes.allocate(Math.multiplyExact(size, Float.BYTES));
      codes[s] = NativeBytes.allocate(size);
    }
    int segmentLatents = EncoderRows.segmentLatents(dIn);
    LatentNorms norms =
        build(
            source,
            dIn,
            dSae,
            (first, count, rows, codeRows) -> {
              int segment = first / segmentLatents;
              int position = first % segmentLatents * dIn;
              floats[segment].asFloatBuffer().put(position, rows, 0, count * dIn);
              codes[segment].put(position, codeRows, 0, count * dIn);
            });
    return new EncoderRows(dIn, dSae, floats, codes, norms);
  }

  /**
   * Gives all rows to the sink.
   *
   * @param source {@code W_enc [d_in, d_sae]}
   * @return the norms of the rows
   * @throws IOException if the weights cannot be read or the sink cannot write
   */
  public static LatentNorms build(WeightSource source, int dIn, int dSae, RowSink sink)
      throws IOException {
    EncoderRowsBuilder builder = new EncoderRowsBuilder(source, dIn, dSae, sink);
    long pieces = ((long) dIn * dSae + READ_AHEAD - 1) / READ_AHEAD;
    AtomicLong nextPiece = new AtomicLong();
    AtomicInteger nextGroup = new AtomicInteger();
    try {
      builder.onThreads(() -> builder.readAhead(nextPiece, pieces));
      builder.onThreads(() -> builder.prepare(nextGroup));
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    return builder.norms;
  }

  /** Runs the same loop on some threads, each with buffers of its own. */
  private void onThreads(Runnable loop) {
    Runtime runtime = Runtime.getRuntime();
    long bytes = (long) groupLatents * dIn * (Float.BYTES + Byte.BYTES);
    IntStream.range(0, threads(runtime.availableProcessors(), runtime.maxMemory(), bytes))
        .parallel()
        .forEach(thread -> loop.run());
  }

  /**
   * Number of threads that prepare at the same time: one for each processor, but their buffers take
   * no more than a quarter of the heap.
   */
  static int threads(int processors, long heapBytes, long bytesOfEach) {
    return (int) Math.max(1, Math.min(processors, heapBytes / HEAP_SHARE / bytesOfEach));
  }

  /** A group is a strip of every row of the file, and a disk gives strips slowly. */
  private void readAhead(AtomicLong next, long pieces) {
    long elements = (long) dIn * dSae;
    float[] unused = new float[(int) Math.min(READ_AHEAD, elements)];
    for (long piece = next.getAndIncrement(); piece < pieces; piece = next.getAndIncrement()) {
      long first = piece * READ_AHEAD;
      read(first, unused, (int) Math.min(READ_AHEAD, elements - first));
    }
  }

  private void prepare(AtomicInteger next) {
    int groups = (dSae + groupLatents - 1) / groupLatents;
    int group = next.getAndIncrement();
    if (group >= groups) {
      return;
    }
    int most = Math.min(groupLatents, dSae);
    float[] rows = new float[most * dIn];
    byte[] codes = new byte[most * dIn];
    float[] tile = new float[TILE_DIMS * most];
    for (; group < groups; group = next.getAndIncrement()) {
      int first = group * groupLatents;
      int count = Math.min(groupLatents, dSae - first);
      transpose(first, count, rows, tile);
      for (int latent = 0; latent < count; latent++) {
        quantise(first + latent, rows, latent * dIn, codes);
      }
      try {
        sink.put(first, count, rows, codes);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private void transpose(int first, int count, float[] rows, float[] tile) {
    float[] strip = new float[count];
    for (int begin = 0; begin < dIn; begin += TILE_DIMS) {
      int dims = Math.min(TILE_DIMS, dIn - begin);
      for (int d = 0; d < dims; d++) {
        read((long) (begin + d) * dSae + first, strip, count);
        System.arraycopy(strip, 0, tile, d * count, count);
      }
      for (int latent = 0; latent < count; latent++) {
        int row = latent * dIn + begin;
        for (int d = 0; d < dims; d++) {
          rows[row + d] = tile[d * count + latent];
        }
      }
    }
  }

  private void read(long first, float[] target, int count) {
    try {
      source.read(first, target, count);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void quantise(int latent, float[] rows, int begin, byte[] codes) {
    float largest = 0;
    for (int d = begin; d < begin + dIn; d++) {
      largest = Math.max(largest, Math.abs(rows[d]));
    }
    float unit = largest / MAX_CODE;
    boolean coded = unit >= MIN_STEP && Float.isFinite(unit);
    double inverse = coded ? 1.0 / unit : 0;
    double sum = 0;
    double residual = 0;
    for (int d = begin; d < begin + dIn; d++) {
      int q = (int) (rows[d] * inverse + TO_INTEGER - TO_INTEGER);
      codes[d] = (byte) q;
      double rest = rows[d] - (double) unit * q;
      sum += (double) rows[d] * rows[d];
      residual += rest * rest;
    }
    norms.step()[latent] = coded ? unit : 1f;
    norms.norm()[latent] = Rounding.up(Math.sqrt(sum) * Rounding.INFLATE);
    norms.residualNorm()[latent] =
        Rounding.up(Math.sqrt(coded ? residual : sum) * Rounding.INFLATE);
  }

  /** Converts a failure to read into an unchecked exception for lazy callers. */
  public static UncheckedIOException unreadable(IOException cause) {
    return new UncheckedIOException(
        "the encoder weights cannot be read: " + cause.getMessage(), cause);
  }
}
