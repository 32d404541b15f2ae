package io.matryoshka.sae.internal.model;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import io.matryoshka.sae.config.Architecture;
import io.matryoshka.sae.config.LatentParameters;
import io.matryoshka.sae.config.SaeConfig;
import io.matryoshka.sae.config.SaeFormatException;
import io.matryoshka.sae.config.TensorNames;
import io.matryoshka.sae.internal.kernel.ReferenceEngine;
import io.matryoshka.sae.internal.kernel.Tuning;
import io.matryoshka.sae.internal.kernel.cpu.PreparedEncoder;
import io.matryoshka.sae.internal.kernel.device.DeviceEngine;
import io.matryoshka.sae.internal.kernel.prepared.EncoderRowsStore;
import io.matryoshka.sae.internal.weights.WeightFile;
import io.matryoshka.sae.safetensors.Dtype;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The weights of one SAE as native arrays, with the engine that was chosen for them, shared by the
 * SAE and its prefix views. Native memory is released when {@link #close} was called and no call is
 * running.
 */
public final class Weights implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Weights.class);

  /** Below this many weights the fast path's layout is made in milliseconds and is not stored. */
  private static final long STORE_FROM_WEIGHTS = 1L << 23;

  /** SAELens divides by no smaller norm, so that a row of zeros stays one. */
  private static final double MIN_NORM = 1e-8;

  private final SaeConfig config;

  /** Keeps mapped memory reachable while arrays use it. */
  private final WeightFile file;

  private final NDManager manager;
  private final NDArray wDec;
  private final NDArray bDec;
  private final Optional<NDArray> norms;
  private final boolean folded;
  private final LatentParameters parameters;
  private final Normalizer normalizer;
  private final DecoderRowCheck rowCheck;
  private NDArray wEnc;
  private Coder coder;
  private long preparedBytes;
  private int running;
  private boolean closed;

  /**
   * Loads the weights and chooses their engine.
   *
   * @param config the configuration of the whole SAE
   * @param file holds the tensors of it, or of a prefix; is closed with the weights
   * @param settings say where, and with which engine
   * @throws SaeFormatException if a number is out of its range
   * @throws IOException if the file cannot be read
   */
  public Weights(SaeConfig config, WeightFile file, OpenSettings settings) throws IOException {
    this.config = config;
    this.file = file;
    manager = Engines.newManager(settings.device());
    try {
      wDec = file.matrix(TensorNames.W_DEC, manager);
      bDec = file.vectorArray(TensorNames.B_DEC, manager);
      norms = decoderNorms(settings);
      folded = settings.foldDecoderNorms();
      parameters = parameters();
      Optional<NDArray> skip =
          config.architecture().hasSkip()
              ? Optional.of(file.matrix(TensorNames.W_SKIP, manager))
              : Optional.empty();
      normalizer = new Normalizer(config, settings.normScale(), bDec, skip);
      rowCheck = new DecoderRowCheck(file);
      openEncoder(new Decoder(wDec, bDec, norms, rowCheck), settings);
    } catch (IOException | RuntimeException | Error e) {
      manager.close();
      throw e;
    }
  }

  /**
   * The norms that latents are multiplied by before decoding divides by them again: where the
   * configuration says so, or where they are folded into the encoder.
   */
  private Optional<NDArray> decoderNorms(OpenSettings settings) throws SaeFormatException {
    if (settings.foldDecoderNorms()
        && config.architecture().latentsPerToken(config).isPresent()
        && !config.rescaleActsByDecoderNorm()) {
      throw new SaeFormatException(
          file.name()
              + ": the decoder norms of a TopK SAE cannot be folded, as that would change which"
              + " latents are the largest; load it without folding");
    }
    if (!settings.foldDecoderNorms() && !config.rescaleActsByDecoderNorm()) {
      return Optional.empty();
    }
    NDArray found = wDec.norm(new int[] {1}).toType(DataType.FLOAT32, false);
    return Optional.of(settings.foldDecoderNorms() ? found.maximum(MIN_NORM) : found);
  }

  private LatentParameters parameters() throws IOException {
    double[] factors = new double[dSae()];
    float[] found = norms.map(NDArray::toFloatArray).orElse(new float[0]);
    Arrays.setAll(factors, j -> found.length == 0 ? 1 : found[j]);
    double[] scale = config.rescaleActsByDecoderNorm() ? factors : new double[factors.length];
    if (!config.rescaleActsByDecoderNorm()) {
      Arrays.fill(scale, 1);
    }
    Architecture.Tensors tensors =
        new Architecture.Tensors() {
          @Override
          public Set<String> names() {
            return file.names();
          }

          @Override
          public double[] vector(String name) throws IOException {
            return file.doubles(name);
          }

          @Override
          public double[] latentScale() {
            return scale;
          }
        };
    try {
      LatentParameters read = config.architecture().parameters(tensors);
      warnOfThresholdsNeverSet(read);
      return folded && !config.rescaleActsByDecoderNorm() ? read.scaled(factors) : read;
    } catch (IllegalArgumentException e) {
      throw new SaeFormatException(file.name() + ": " + e.getMessage(), e);
    }
  }

  private void warnOfThresholdsNeverSet(LatentParameters read) {
    boolean unset =
        config.architecture().hasThreshold()
            && Arrays.stream(read.threshold()).allMatch(threshold -> threshold <= 0);
    if (unset) {
      LOG.warn(
          "{}: all {} thresholds are at most 0, as where training never set them: every positive"
              + " pre-activation is active, and no latent is sparse. Select the largest instead"
              + " (--top-k or --batch-top-k{})",
          file.name(),
          read.dSae(),
          config.k().isPresent() ? " " + config.k().getAsInt() : "");
    }
  }

  /** Chooses the engine: on the CPU the fast one, elsewhere what a trial on the device allows. */
  private void openEncoder(Decoder decoder, OpenSettings settings) throws IOException {
    wEnc = file.matrix(TensorNames.W_ENC, manager);
    boolean fast = settings.fast() && file.config().dtype() != Dtype.F64;
    boolean cpu = settings.device().getDeviceType().equals(Device.Type.CPU);
    Optional<Coder> chosen = Optional.empty();
    if (fast && cpu && settings.acceleratorInt8From().isEmpty()) {
      chosen = Optional.of(cpuCoder(decoder, settings.store()));
    } else if (fast && DeviceEngine.runsOn(settings.device())) {
      long int8From = settings.acceleratorInt8From().orElse(Tuning.DEVICE_INT8_FROM);
      chosen = deviceCoder(decoder, int8From);
    }
    if (chosen.isEmpty() || !cpu) {
      // These engines multiply whole matrices, so that one NaN would reach every result.
      file.requireFiniteMatrices();
    }
    coder =
        chosen.orElseGet(
            () -> new ReferenceCoder(new ReferenceEngine(wEnc, parameters), decoder, dSae()));
  }

  private Coder cpuCoder(Decoder decoder, Optional<EncoderRowsStore> store) {
    SaeConfig stored = file.config();
    boolean small = (long) stored.dIn() * stored.dSae() < STORE_FROM_WEIGHTS;
    PreparedEncoder encoder =
        new PreparedEncoder(
            file.source(TensorNames.W_ENC),
            stored.dIn(),
            stored.dSae(),
            small ? Optional.empty() : store);
    preparedBytes = PreparedEncoder.bytes(stored.dIn(), stored.dSae());
    return new CpuCoder(encoder.engine(parameters), decoder, dSae());
  }

  /** Keeps the encoder once, latent after latent; {@code W_enc} becomes a view of that. */
  private Optional<Coder> deviceCoder(Decoder decoder, long int8From) {
    NDArray rows = DeviceEngine.encoderRows(wEnc);
    wEnc.close();
    wEnc = rows.transpose();
    return DeviceEngine.create(rows, parameters, int8From)
        .map(
            engine -> {
              preparedBytes = engine.preparedBytes();
              ReferenceEngine reference = new ReferenceEngine(wEnc, parameters);
              return new DeviceCoder(engine, reference, decoder, dSae());
            });
  }

  /** Number of latents of the weights that were loaded. */
  private int dSae() {
    return file.config().dSae();
  }

  /**
   * Marks a call as running; the weights stay alive until its end.
   *
   * @throws IllegalStateException if they are closed, or their file was written over
   */
  public Use use() {
    if (!isClosed()) {
      file.requireUnchanged();
    }
    synchronized (this) {
      if (closed) {
        throw new IllegalStateException("this SAE is closed; load it again");
      }
      running++;
    }
    return this::end;
  }

  /** A running call. */
  public interface Use extends AutoCloseable {
    @Override
    void close();
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
    } catch (IOException e) {
      throw new UncheckedIOException("closing " + file.name() + " failed", e);
    }
  }

  @Override
  public void close() {
    boolean release;
    synchronized (this) {
      release = !closed && running == 0;
      closed = true;
    }
    if (release) {
      release();
    }
  }

  public synchronized boolean isClosed() {
    return closed;
  }

  /** Refuses an array that is on another device than the weights. */
  public void requireSameDevice(NDArray array, String what) {
    if (!array.getDevice().equals(manager.getDevice())) {
      throw new IllegalArgumentException(
          "%s are on %s but the SAE is on %s; move them with toDevice or load the SAE there"
              .formatted(what, array.getDevice(), manager.getDevice()));
    }
  }

  public NDManager manager() {
    return manager;
  }

  /** Decoder rows of some consecutive latents, {@code [to - from, d_in]}, for a scope. */
  public NDArray decoderRows(int from, int to, NDManager scope) {
    rowCheck.require(from, to);
    String range = from == to ? "0:0" : from + ":" + to;
    NDArray rows = part(wDec, range, scope);
    if (!folded) {
      return rows;
    }
    NDArray divisors = part(norms.orElseThrow(), range, scope).toType(rows.getDataType(), false);
    return rows.div(divisors.reshape(-1, 1));
  }

  /** Encoder columns of some consecutive latents as rows, {@code [to - from, d_in]}. */
  public NDArray encoderRows(int from, int to, NDManager scope) {
    return part(wEnc, ":, " + (from == to ? "0:0" : from + ":" + to), scope).transpose();
  }

  private static NDArray part(NDArray array, String range, NDManager scope) {
    NDArray part = array.get(new NDIndex(range));
    part.attach(scope);
    return part;
  }

  /** Thresholds of the first latents. */
  public float[] thresholds(int width) {
    return firstOf(parameters.threshold(), width);
  }

  /** {@code b_enc} of the first latents, or {@code b_gate}. */
  public float[] encoderBias(int width) {
    return firstOf(parameters.testBias(), width);
  }

  private static float[] firstOf(double[] values, int width) {
    float[] first = new float[width];
    for (int j = 0; j < width; j++) {
      first[j] = (float) values[j];
    }
    return first;
  }

  /** {@code [d_in]}. */
  public NDArray bDec() {
    return bDec;
  }

  public Normalizer normalizer() {
    return normalizer;
  }

  /** The engine over all latents. */
  public Coder coder() {
    return coder;
  }

  public SaeConfig config() {
    return config;
  }

  /** Bytes of the two weight matrices that were loaded. */
  public long matrixBytes() {
    return ((long) config.dIn() + config.dOut()) * dSae() * wDec.getDataType().getNumOfBytes();
  }

  /** Bytes that the engine holds beside the weights. */
  public long preparedBytes() {
    return preparedBytes;
  }
}
