package io.matryoshka.sae.internal.kernel.cpu;

import io.matryoshka.sae.config.LatentParameters;
import io.matryoshka.sae.internal.kernel.EncodeEngine;
import io.matryoshka.sae.internal.kernel.prepared.EncoderRows;
import io.matryoshka.sae.internal.kernel.prepared.EncoderRowsBuilder;
import io.matryoshka.sae.internal.kernel.prepared.EncoderRowsStore;
import io.matryoshka.sae.internal.kernel.prepared.WeightSource;
import java.io.IOException;
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
   * @param parameters decide which latents are active
   * @return the engine
   */
  public EncodeEngine engine(LatentParameters parameters) {
    return engine(ScreeningProduct.FASTEST, parameters);
  }

  EncodeEngine engine(ScreeningProduct product, LatentParameters parameters) {
    return new CpuEngine(product, this::rows, source, dIn, parameters);
  }

  private synchronized EncoderRows rows() {
    if (rows == null) {
      try {
        rows =
            store.isPresent()
                ? store.get().loadOrBuild(source, dIn, dSae)
                : EncoderRowsBuilder.inMemory(source, dIn, dSae);
      } catch (IOException e) {
        throw EncoderRowsBuilder.unreadable(e);
      }
    }
    return rows;
  }
}
