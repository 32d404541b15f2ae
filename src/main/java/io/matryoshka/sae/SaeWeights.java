package io.matryoshka.sae;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import io.matryoshka.sae.kernel.EncodeEngine;
import io.matryoshka.sae.kernel.EncoderRowsStore;
import io.matryoshka.sae.kernel.PreparedEncoder;
import io.matryoshka.sae.kernel.ReferenceEngine;
import io.matryoshka.sae.kernel.SparseDecoder;
import io.matryoshka.sae.kernel.Workers;
import io.matryoshka.sae.safetensors.Dtype;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The weights of one SAE as native arrays with the engines over them, shared by the SAE and its
 * prefix views. Native memory is released when {@link #close} was called and no call is running.
 */
final class SaeWeights {

  /** Below this many weights the fast path's layout is made in milliseconds and is not stored. */
  private static final long STORE_FROM_WEIGHTS = 1L << 23;

  final float[] bEnc;
  final float[] bDec;
  final float[] threshold;

  private final SaeConfig config;

  /** Keeps mapped memory reachable while arrays use it. */
  private final WeightFile file;

  private final double normScale;
  private final NDManager manager;
  private final NDArray wEnc;
  private final NDArray wDec;
  private final NDArray bDecArray;
  private final ReferenceEngine reference;
  private final EncodeEngine engine;
  private final boolean onWorkers;
  private final SparseDecoder decoder;
  private final Optional<float[]> decoderNorms;

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
    Device device = options.device();
    manager = Engines.newManager(device);
    try {
      boolean wide = config.dtype() == Dtype.F64;
      wEnc = file.matrix(WeightSchema.W_ENC, manager);
      wDec = file.matrix(WeightSchema.W_DEC, manager);
      bDecArray = file.vectorArray(WeightSchema.B_DEC, manager);
      NDArray bEncArray = file.vectorArray(WeightSchema.B_ENC, manager);
      decoderNorms =
          config.rescaleActsByDecoderNorm()
              ? Optional.of(wDec.norm(new int[] {1}).toType(DataType.FLOAT32, false).toFloatArray())
              : Optional.empty();
      float[] scale = decoderNorms.orElseGet(() -> ones(file.config().dSae()));
      NDArray scaleArray = manager.create(scale).toType(wEnc.getDataType(), false);
      reference = new ReferenceEngine(wEnc, bEncArray, scaleArray, threshold);
      boolean fast =
          options.engine() == LoadOptions.Engine.FAST
              && !wide
              && device.getDeviceType().equals(Device.Type.CPU);
      int stored = file.config().dSae();
      long weights = (long) config.dIn() * stored;
      engine =
          fast
              ? new PreparedEncoder(
                      file.source(WeightSchema.W_ENC),
                      config.dIn(),
                      stored,
                      weights < STORE_FROM_WEIGHTS ? Optional.empty() : store)
                  .engine(bEnc, scale, threshold)
              : reference;
      onWorkers = fast;
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
    return onWorkers ? Workers.call(work) : work.get();
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
    return wEnc.getDataType();
  }

  NDArray wDec() {
    return wDec;
  }

  NDArray wEnc() {
    return wEnc;
  }

  NDArray bDecArray() {
    return bDecArray;
  }

  ReferenceEngine reference() {
    return reference;
  }

  EncodeEngine engine() {
    return engine;
  }

  SparseDecoder decoder() {
    return decoder;
  }

  Optional<float[]> decoderNorms() {
    return decoderNorms;
  }

  SaeConfig config() {
    return config;
  }

  /** Factor on model activations that a release asks for; 1 for none. */
  double normScale() {
    return normScale;
  }

  private static float[] ones(int count) {
    float[] ones = new float[count];
    Arrays.fill(ones, 1f);
    return ones;
  }
}
