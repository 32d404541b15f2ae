package io.matryoshka.sae;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import io.matryoshka.sae.kernel.EncodeEngine;
import io.matryoshka.sae.kernel.EncoderRowsStore;
import io.matryoshka.sae.kernel.ReferenceEngine;
import io.matryoshka.sae.kernel.SparseDecoder;
import io.matryoshka.sae.kernel.Workers;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The weights of one SAE as native arrays with the engines over them, shared by the SAE and its
 * prefix views. Native memory is released when {@link #close} was called and no call is running.
 */
final class SaeWeights {

  final float[] bEnc;
  final float[] bDec;
  final float[] threshold;

  private final SaeConfig config;

  /** Keeps mapped memory reachable while arrays use it. */
  private final WeightFile file;

  private final double normScale;
  private final NDManager manager;
  private final NDArray wDec;
  private final NDArray bDecArray;
  private final NDArray thresholdArray;
  private final SaeEncoder encoder;
  private final SparseDecoder decoder;
  private final Optional<float[]> decoderNorms;
  private final Optional<NDArray> decoderNormsArray;

  private int running;
  private boolean closed;

  SaeWeights(
      SaeConfig config,
      WeightFile file,
      LoadOptions options,
      double normScale,
      Optional<EncoderRowsStore> store)
      throws java.io.IOException {
    this.config = config;
    this.file = file;
    this.normScale = normScale;
    this.bEnc = file.vector(WeightSchema.B_ENC);
    this.bDec = file.vector(WeightSchema.B_DEC);
    this.threshold =
        config.architecture().hasThreshold()
            ? file.vector(WeightSchema.THRESHOLD)
            : new float[file.config().dSae()];
    manager = Engines.newManager(options.device());
    try {
      wDec = file.matrix(WeightSchema.W_DEC, manager);
      bDecArray = file.vectorArray(WeightSchema.B_DEC, manager);
      thresholdArray = manager.create(threshold).toType(wDec.getDataType(), false);
      decoderNorms =
          config.rescaleActsByDecoderNorm()
              ? Optional.of(wDec.norm(new int[] {1}).toType(DataType.FLOAT32, false).toFloatArray())
              : Optional.empty();
      float[] scale = decoderNorms.orElseGet(() -> ones(file.config().dSae()));
      decoderNormsArray = decoderNorms.map(manager::create);
      encoder = SaeEncoder.load(file, options, scale, threshold, store, manager);
      decoder = new SparseDecoder(wDec);
    } catch (java.io.IOException | RuntimeException | Error e) {
      manager.close();
      throw e;
    }
  }

  /** Marks a call as running; the weights stay alive until its end. */
  Use use() {
    synchronized (this) {
      if (closed) {
        throw new IllegalStateException("this SAE is closed; load it again");
      }
      running++;
    }
    return this::end;
  }

  /** A running call. */
  interface Use extends AutoCloseable {
    @Override
    void close();
  }

  /** Computes where the engine wants it: the fast engine of the CPU on its workers. */
  <T> T compute(Supplier<T> work) {
    return encoder.place() == SaeEncoder.Place.WORKERS ? Workers.call(work) : work.get();
  }

  /** Refuses an array that is on another device than the weights. */
  void requireSameDevice(NDArray array, String what) {
    if (!array.getDevice().equals(manager.getDevice())) {
      throw new IllegalArgumentException(
          what
              + " are on "
              + array.getDevice()
              + " but the SAE is on "
              + manager.getDevice()
              + "; move them with toDevice or load the SAE there");
    }
  }

  private void end() {
    boolean release;
    synchronized (this) {
      running--;
      release = closed && running == 0;
    }
    if (release) {
      release();
    }
  }

  private void release() {
    manager.close();
    try {
      file.close();
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException("closing " + file.path() + " failed", e);
    }
  }

  void close() {
    boolean release;
    synchronized (this) {
      release = !closed && running == 0;
      closed = true;
    }
    if (release) {
      release();
    }
  }

  synchronized boolean isClosed() {
    return closed;
  }

  NDManager manager() {
    return manager;
  }

  DataType dataType() {
    return wDec.getDataType();
  }

  NDArray wDec() {
    return wDec;
  }

  NDArray wEnc() {
    return encoder.wEnc();
  }

  NDArray bDecArray() {
    return bDecArray;
  }

  /** Thresholds of the type of the weights, {@code [d_sae]}. */
  NDArray thresholdArray() {
    return thresholdArray;
  }

  ReferenceEngine reference() {
    return encoder.reference();
  }

  EncodeEngine engine() {
    return encoder.engine();
  }

  /** Tells whether calls stay on the device of the weights from input to result. */
  boolean onDevice() {
    return encoder.place() == SaeEncoder.Place.DEVICE;
  }

  /** Tells whether sparse latents are decoded on a device; else the workers of the CPU do it. */
  boolean decodesOnDevice() {
    return onDevice() || !manager.getDevice().getDeviceType().equals(Device.Type.CPU);
  }

  long preparedBytes() {
    return encoder.preparedBytes();
  }

  SparseDecoder decoder() {
    return decoder;
  }

  Optional<float[]> decoderNorms() {
    return decoderNorms;
  }

  /** The same as an array, {@code [d_sae]} float32. */
  Optional<NDArray> decoderNormsArray() {
    return decoderNormsArray;
  }

  SaeConfig config() {
    return config;
  }

  /** Factor on model activations that a release asks for; 1 for none. */
  double normScale() {
    return normScale;
  }

  /**
   * Makes reconstructions of decoder sums, which it leaves as they are.
   *
   * @param sums {@code [n, d_in]} decoder sums without bias
   * @param scale {@code [n, 1]} factor of each row, null where rows are not normalised one by one
   * @param mean {@code [n, 1]} mean of each row, null for none
   * @param leadingShape shape of the input without its rows
   * @param tailShape shape of one row
   * @return {@code [leading shape..., tail shape...]} on the manager of {@code sums}
   */
  NDArray reconstruction(
      NDArray sums, NDArray scale, NDArray mean, long[] leadingShape, long[] tailShape) {
    NDArray rows = restore(sums.add(bDecArray), scale, mean);
    return rows.reshape(Shapes.decoded(leadingShape, tailShape, config.dIn()));
  }

  /**
   * Undoes the normalisation of the input.
   *
   * @param rows {@code [n, d_in]} decoder sums plus {@code b_dec}
   * @param scale {@code [n, 1]} factor of each row, null where rows are not normalised one by one
   * @param mean {@code [n, 1]} mean of each row, null for none
   * @return {@code [n, d_in]} on the manager of {@code rows}
   */
  NDArray restore(NDArray rows, NDArray scale, NDArray mean) {
    if (scale == null) {
      return normScale == 1 ? rows : rows.div(normScale);
    }
    NDArray out = rows.mul(scale);
    return mean == null ? out : out.add(mean);
  }

  private static float[] ones(int count) {
    float[] ones = new float[count];
    Arrays.fill(ones, 1f);
    return ones;
  }
}
