package io.matryoshka.sae;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.matryoshka.sae.kernel.DeviceEngine;
import io.matryoshka.sae.kernel.EncodeEngine;
import io.matryoshka.sae.kernel.EncoderRowsStore;
import io.matryoshka.sae.kernel.PreparedEncoder;
import io.matryoshka.sae.kernel.ReferenceEngine;
import io.matryoshka.sae.safetensors.Dtype;
import java.io.IOException;
import java.util.Optional;

/**
 * The encoder of an SAE with the engines over it.
 *
 * @param wEnc {@code [d_in, d_sae]}
 * @param reference the plain engine
 * @param engine the engine in use, which may be the plain one
 * @param place where the engine in use computes
 * @param preparedBytes what the engine in use holds beside the weights
 */
record SaeEncoder(
    NDArray wEnc, ReferenceEngine reference, EncodeEngine engine, Place place, long preparedBytes) {

  /** Where an engine computes. */
  enum Place {
    /** On the caller's thread, from arrays in Java memory to arrays in Java memory. */
    CALLER,
    /** On the workers of the CPU. */
    WORKERS,
    /** On the device of the weights, where results can stay. */
    DEVICE
  }

  /** Below this many weights the fast path's layout is made in milliseconds and is not stored. */
  private static final long STORE_FROM_WEIGHTS = 1L << 23;

  /**
   * Loads the encoder and chooses its engine.
   *
   * @param file holds the tensors
   * @param options say which engine is wanted, and where
   * @param scale {@code [d_sae]} factor on pre-activations
   * @param threshold {@code [d_sae]}
   * @param store where prepared data is kept between runs, if anywhere
   * @param manager owns the arrays, on the device of the SAE
   */
  static SaeEncoder load(
      WeightFile file,
      LoadOptions options,
      float[] scale,
      float[] threshold,
      Optional<EncoderRowsStore> store,
      NDManager manager)
      throws IOException {
    NDArray wEnc = file.matrix(WeightSchema.W_ENC, manager);
    NDArray bias = file.vectorArray(WeightSchema.B_ENC, manager);
    NDArray factor = manager.create(scale).toType(wEnc.getDataType(), false);
    boolean fast =
        options.engine() == LoadOptions.Engine.FAST && file.config().dtype() != Dtype.F64;
    boolean cpu = options.device().getDeviceType().equals(Device.Type.CPU);
    if (fast && cpu && options.acceleratorInt8From().isEmpty()) {
      SaeConfig stored = file.config();
      ReferenceEngine reference = new ReferenceEngine(wEnc, bias, factor, threshold);
      long weights = (long) stored.dIn() * stored.dSae();
      EncodeEngine engine =
          new PreparedEncoder(
                  file.source(WeightSchema.W_ENC),
                  stored.dIn(),
                  stored.dSae(),
                  weights < STORE_FROM_WEIGHTS ? Optional.empty() : store)
              .engine(file.vector(WeightSchema.B_ENC), scale, threshold);
      long bytes = PreparedEncoder.bytes(stored.dIn(), stored.dSae());
      return new SaeEncoder(wEnc, reference, engine, Place.WORKERS, bytes);
    }
    if (fast && DeviceEngine.runsOn(options.device())) {
      long int8From = options.acceleratorInt8From().orElse(DeviceEngine.INT8_FROM);
      return onDevice(wEnc, bias, factor, threshold, int8From);
    }
    ReferenceEngine reference = new ReferenceEngine(wEnc, bias, factor, threshold);
    return new SaeEncoder(wEnc, reference, reference, Place.CALLER, 0);
  }

  /** Keeps the encoder once, latent after latent; {@code W_enc} becomes a view of that. */
  private static SaeEncoder onDevice(
      NDArray wEnc, NDArray bias, NDArray factor, float[] threshold, long int8From) {
    NDArray rows = DeviceEngine.encoderRows(wEnc);
    wEnc.close();
    NDArray view = rows.transpose();
    ReferenceEngine reference = new ReferenceEngine(view, bias, factor, threshold);
    return DeviceEngine.create(rows, bias, factor, threshold, int8From)
        .map(e -> new SaeEncoder(view, reference, e, Place.DEVICE, e.preparedBytes()))
        .orElseGet(() -> new SaeEncoder(view, reference, reference, Place.CALLER, 0));
  }
}
