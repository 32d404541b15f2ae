package io.matryoshka.sae.kernel;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.stream.IntStream;

/**
 * Transposes and quantises an encoder in parallel. The weights are streamed in blocks of input
 * dimensions, so beside the result only a few megabytes are held.
 */
final class EncoderRowsBuilder {

  /** Bytes of {@code W_enc} read at once. */
  private static final int BLOCK_BYTES = 16 << 20;

  /** Weights below this are treated as 0 by the codes; the residual norm accounts for them. */
  private static final float SMALLEST_STEP = 0x1p-100f;

  private static final int MAX_CODE = 127;

  private final int dIn;
  private final int dSae;
  private final ByteBuffer[] rows;
  private final ByteBuffer[] codes;
  private final float[] step;
  private final float[] norm;
  private final float[] residualNorm;

  private EncoderRowsBuilder(int dIn, int dSae, ByteBuffer[] rows, ByteBuffer[] codes) {
    this.dIn = dIn;
    this.dSae = dSae;
    this.rows = rows;
    this.codes = codes;
    this.step = new float[dSae];
    this.norm = new float[dSae];
    this.residualNorm = new float[dSae];
  }

  /**
   * Fills the given buffers.
   *
   * @param source {@code W_enc [d_in, d_sae]}
   * @param rows one little-endian buffer per segment for the float rows
   * @param codes one buffer per segment for the codes
   */
  static EncoderRows build(
      WeightSource source, int dIn, int dSae, ByteBuffer[] rows, ByteBuffer[] codes)
      throws IOException {
    EncoderRowsBuilder builder = new EncoderRowsBuilder(dIn, dSae, rows, codes);
    builder.transpose(source);
    IntStream.range(0, (dSae + 255) / 256).parallel().forEach(builder::quantiseBlock);
    return new EncoderRows(
        dIn, dSae, rows, codes, builder.step, builder.norm, builder.residualNorm);
  }

  private void transpose(WeightSource source) throws IOException {
    int blockDims = (int) Math.max(1, Math.min(dIn, BLOCK_BYTES / ((long) dSae * Float.BYTES)));
    float[] block = new float[Math.multiplyExact(blockDims, dSae)];
    for (int first = 0; first < dIn; first += blockDims) {
      int dims = Math.min(blockDims, dIn - first);
      source.read((long) first * dSae, block, dims * dSae);
      int from = first;
      IntStream.range(0, (dSae + 255) / 256)
          .parallel()
          .forEach(b -> scatter(block, from, dims, b * 256, Math.min(dSae, b * 256 + 256)));
    }
  }

  private void scatter(float[] block, int firstDim, int dims, int begin, int end) {
    float[] part = new float[dims];
    for (int latent = begin; latent < end; latent++) {
      for (int d = 0; d < dims; d++) {
        part[d] = block[d * dSae + latent];
      }
      row(latent).put(position(latent) + firstDim, part);
    }
  }

  private void quantiseBlock(int b) {
    float[] row = new float[dIn];
    byte[] code = new byte[dIn];
    int segmentLatents = EncoderRows.segmentLatents(dIn);
    for (int latent = b * 256; latent < Math.min(dSae, b * 256 + 256); latent++) {
      row(latent).get(position(latent), row);
      quantise(latent, row, code);
      codes[latent / segmentLatents].put((latent % segmentLatents) * dIn, code);
    }
  }

  private void quantise(int latent, float[] row, byte[] code) {
    float largest = 0;
    for (float w : row) {
      largest = Math.max(largest, Math.abs(w));
    }
    float unit = largest / MAX_CODE;
    boolean coded = unit >= SMALLEST_STEP && Float.isFinite(unit);
    double inverse = coded ? 1.0 / unit : 0;
    double sum = 0;
    double residual = 0;
    for (int d = 0; d < dIn; d++) {
      int q = (int) Math.rint(row[d] * inverse);
      code[d] = (byte) q;
      double rest = row[d] - (double) unit * q;
      sum += (double) row[d] * row[d];
      residual += rest * rest;
    }
    step[latent] = coded ? unit : 1f;
    norm[latent] = Rounding.up(Math.sqrt(sum) * Rounding.INFLATE);
    residualNorm[latent] = Rounding.up(Math.sqrt(coded ? residual : sum) * Rounding.INFLATE);
  }

  private FloatBuffer row(int latent) {
    return rows[latent / EncoderRows.segmentLatents(dIn)].asFloatBuffer();
  }

  private int position(int latent) {
    return (latent % EncoderRows.segmentLatents(dIn)) * dIn;
  }

  /** Converts a failure to read into an unchecked exception for lazy callers. */
  static UncheckedIOException unreadable(IOException cause) {
    return new UncheckedIOException(
        "the encoder weights cannot be read: " + cause.getMessage(), cause);
  }
}
