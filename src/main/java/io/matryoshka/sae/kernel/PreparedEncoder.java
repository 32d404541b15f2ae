package io.matryoshka.sae.kernel;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * The fast path's layout of one encoder, made when it is first needed and shared by every prefix
 * view. With a store it is kept on disk for the next start.
 */
public final class PreparedEncoder {

  private final WeightSource source;
  private final int dIn;
  private final int dSae;
  private final Optional<EncoderRowsStore> store;
  private EncoderRows rows;

  /**
   * Makes the holder; nothing is read yet.
   *
   * @param source {@code W_enc [d_in, d_sae]}
   * @param dIn the width of a model activation
   * @param dSae the number of latents
   * @param store where prepared data is kept between runs, if anywhere
   */
  public PreparedEncoder(WeightSource source, int dIn, int dSae, Optional<EncoderRowsStore> store) {
    this.source = source;
    this.dIn = dIn;
    this.dSae = dSae;
    this.store = store;
  }

  /**
   * Tells how much memory the layout of an encoder takes.
   *
   * @param dIn the width of a model activation
   * @param dSae the number of latents
   * @return bytes
   */
  public static long bytes(int dIn, int dSae) {
    long perWeight = Float.BYTES + Byte.BYTES;
    long perLatent = 3L * Float.BYTES; // step, norm, residual norm
    return dSae * (dIn * perWeight + perLatent);
  }

  /**
   * Makes an engine over this encoder.
   *
   * @param bias {@code [d_sae]} encoder bias
   * @param scale {@code [d_sae]} factor on pre-activations, ones where there is none
   * @param threshold {@code [d_sae]} thresholds, zeros where there are none
   * @return the engine
   */
  public EncodeEngine engine(float[] bias, float[] scale, float[] threshold) {
    return engine(ScreeningProduct.FASTEST, bias, scale, threshold);
  }

  EncodeEngine engine(ScreeningProduct product, float[] bias, float[] scale, float[] threshold) {
    return new ScreenedEngine(product, this::rows, source, bias, scale, threshold);
  }

  private synchronized EncoderRows rows() {
    if (rows == null) {
      try {
        rows = store.isPresent() ? store.get().loadOrBuild(source, dIn, dSae) : inMemory();
      } catch (IOException e) {
        throw EncoderRowsBuilder.unreadable(e);
      }
    }
    return rows;
  }

  private EncoderRows inMemory() throws IOException {
    return inMemory(source, dIn, dSae);
  }

  static EncoderRows inMemory(WeightSource source, int dIn, int dSae) throws IOException {
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
        EncoderRowsBuilder.build(
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
}
