package io.matryoshka.sae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.kernel.Csr;
import io.matryoshka.sae.kernel.EncodeEngine;
import io.matryoshka.sae.kernel.ScreeningStats;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * A pretrained sparse autoencoder: {@code z = (x - b_dec) W_enc + b_enc}, {@code f = select(z)},
 * {@code x' = f W_dec + b_dec}.
 *
 * <ul>
 *   <li>{@code x}: model activations {@code [..., d_in]}, float16, bfloat16, float32 or float64
 *   <li>{@code W_enc [d_in, d_sae]}, {@code b_enc [d_sae]}, {@code W_dec [d_sae, d_in]}, {@code
 *       b_dec [d_in]}, {@code threshold [d_sae]}
 *   <li>{@code f}: latents {@code [..., d_sae]}
 * </ul>
 *
 * <p>Results have the type that the SAE computes in (float32, or float64 for an SAE of that dtype)
 * and attach to the manager of the input. Rows that hold a NaN give NaN for every latent, and
 * infinities propagate as IEEE arithmetic has it, as in SAELens.
 *
 * <p>Safe for concurrent use. Closing releases the weights once the running calls have ended; a
 * later call throws {@link IllegalStateException}.
 */
public abstract sealed class SAE implements AutoCloseable
    permits BatchTopKSae, StandardSae, TopKSae {

  private final SaeWeights weights;
  private final SaeConfig config;
  private final int width;
  private final List<Integer> widths;
  private final Optional<float[]> logSparsity;
  private final boolean view;
  private final DenseCoder dense;
  private final DeviceCoder onDevice;
  private volatile boolean viewClosed;

  /** What the last dense encode of a thread took from its tokens, as SAELens keeps it. */
  private final ThreadLocal<LastInput> lastInput = new ThreadLocal<>();

  private record LastInput(RowScaling scaling, long[] leadingShape, long[] tailShape) {}

  SAE(SaeWeights weights, int width, List<Integer> widths, Optional<float[]> logSparsity) {
    this(weights, width, widths, logSparsity, false);
  }

  SAE(
      SaeWeights weights,
      int width,
      List<Integer> widths,
      Optional<float[]> logSparsity,
      boolean view) {
    this.weights = weights;
    this.config = weights.config();
    this.width = width;
    this.widths = List.copyOf(widths);
    this.logSparsity = logSparsity;
    this.view = view;
    this.dense = new DenseCoder(weights, width);
    this.onDevice = new DeviceCoder(weights, width);
  }

  /**
   * Loads a pretrained SAE with default options.
   *
   * @param release a release of the registry, or {@code owner/repo} on the Hugging Face Hub
   * @param saeId an SAE of the release, or its folder in the repository
   * @return the SAE
   * @throws IllegalArgumentException if the release or id is unknown; the message names near
   *     matches
   * @throws UnsupportedArchitectureException if the SAE is not of an architecture that runs here
   * @throws IOException if files cannot be fetched or read, or are malformed
   */
  public static SAE fromPretrained(String release, String saeId) throws IOException {
    return fromPretrained(release, saeId, LoadOptions.defaults());
  }

  /**
   * Loads a pretrained SAE.
   *
   * @param release a release of the registry, or {@code owner/repo} on the Hugging Face Hub
   * @param saeId an SAE of the release, or its folder in the repository
   * @param options how to load it
   * @return the SAE, or the prefix view that the options ask for
   * @throws IllegalArgumentException if the release or id is unknown; the message names near
   *     matches
   * @throws UnsupportedArchitectureException if the SAE is not of an architecture that runs here
   * @throws IOException if files cannot be fetched or read, or are malformed
   */
  public static SAE fromPretrained(String release, String saeId, LoadOptions options)
      throws IOException {
    return SaeLoader.fromPretrained(release, saeId, options);
  }

  /**
   * Loads an SAE from a folder with {@code cfg.json} and {@code sae_weights.safetensors}.
   *
   * @param directory the folder
   * @return the SAE
   * @throws UnsupportedArchitectureException if the SAE is not of an architecture that runs here
   * @throws IOException if files are missing, unreadable or malformed
   */
  public static SAE load(Path directory) throws IOException {
    return load(directory, LoadOptions.defaults());
  }

  /**
   * Loads an SAE from a folder with {@code cfg.json} and {@code sae_weights.safetensors}.
   *
   * @param directory the folder
   * @param options how to load it
   * @return the SAE, or the prefix view that the options ask for
   * @throws UnsupportedArchitectureException if the SAE is not of an architecture that runs here
   * @throws IOException if files are missing, unreadable or malformed
   */
  public static SAE load(Path directory, LoadOptions options) throws IOException {
    return SaeLoader.load(directory, options);
  }

  /**
   * Returns what {@code cfg.json} says.
   *
   * @return the configuration of the whole SAE
   */
  public SaeConfig config() {
    return config;
  }

  /**
   * Returns the width of a model activation.
   *
   * @return {@code d_in}
   */
  public int dIn() {
    return config.dIn();
  }

  /**
   * Returns the number of latents of this SAE or prefix view.
   *
   * @return {@code d_sae}, or the prefix width of a view
   */
  public int dSae() {
    return width;
  }

  /**
   * Returns the Matryoshka widths that training used, up to the width of this view.
   *
   * @return rising widths, the last one {@link #dSae()}
   */
  public List<Integer> widths() {
    return widths;
  }

  /**
   * Returns how often each latent fires, as published with the SAE.
   *
   * @return log10 of (frequency + 1e-10) per latent, {@code [d_sae]}: 0 always fires, -10 never;
   *     empty if not published
   */
  public Optional<float[]> logSparsity() {
    return logSparsity.map(values -> Arrays.copyOf(values, width));
  }

  /**
   * Returns the thresholds.
   *
   * @return {@code [d_sae]}, a copy; zeros for an SAE without thresholds
   */
  public float[] thresholds() {
    return Arrays.copyOf(weights.threshold, width);
  }

  /**
   * Returns the encoder bias.
   *
   * @return {@code [d_sae]}, a copy
   */
  public float[] encoderBias() {
    return Arrays.copyOf(weights.bEnc, width);
  }

  /**
   * Returns the decoder bias.
   *
   * @return {@code [d_in]}, a copy
   */
  public float[] decoderBias() {
    return weights.bDec.clone();
  }

  /**
   * Returns the decoder rows of some consecutive latents, the directions that they write.
   *
   * @param from first latent
   * @param to first latent not returned, at most {@link #dSae()}
   * @return {@code [to - from, d_in]}, row-major, a copy
   */
  public float[] decoderRows(int from, int to) {
    Objects.checkFromToIndex(from, to, width);
    if (from == to) {
      return new float[0];
    }
    return inScope(
        scope -> {
          NDArray rows = weights.wDec().get(new NDIndex(from + ":" + to));
          rows.attach(scope);
          return rows.toType(DataType.FLOAT32, false).toFloatArray();
        });
  }

  /**
   * Returns the encoder columns of some consecutive latents, the directions that they read.
   *
   * @param from first latent
   * @param to first latent not returned, at most {@link #dSae()}
   * @return {@code [to - from, d_in]}, row-major (transposed against the file), a copy
   */
  public float[] encoderRows(int from, int to) {
    Objects.checkFromToIndex(from, to, width);
    if (from == to) {
      return new float[0];
    }
    return inScope(
        scope -> {
          NDArray columns = weights.wEnc().get(new NDIndex(":, " + from + ":" + to));
          columns.attach(scope);
          return columns.transpose().toType(DataType.FLOAT32, false).toFloatArray();
        });
  }

  /**
   * Returns the selection that {@link #encode} uses.
   *
   * @return thresholds, or per-token top-k for a TopK SAE
   */
  public abstract Selection defaultSelection();

  /**
   * Encodes activations to dense latents.
   *
   * @param x {@code [..., d_in]} on the SAE's device
   * @return {@code [..., d_sae]}, attached to the manager of {@code x}
   * @throws IllegalArgumentException if shape, type or device do not fit
   * @throws IllegalStateException if the SAE is closed
   */
  public NDArray encode(NDArray x) {
    NDManager owner = x.getManager();
    LastInput[] used = new LastInput[1];
    NDArray latents =
        inScope(
            owner,
            scope -> {
              boolean onWorkers = !isReference() && !weights.onDevice();
              InputRows input =
                  onWorkers
                      ? InputRows.withBias(x, config, weights, scope)
                      : new InputRows(x, config, weights, scope);
              used[0] = new LastInput(input.scaling(), input.leadingShape, input.tailShape);
              NDArray f;
              if (isDense(input)) {
                f = dense.encode(input, scope);
              } else if (weights.onDevice()) {
                f = onDevice.encode(input, defaultSelection(), scope).toDense();
              } else {
                Csr csr = csr(input, defaultSelection());
                f = wrap(csr, input).toDense(scope).toType(weights.dataType(), false);
              }
              return result(f.reshape(Shapes.join(input.leadingShape, width)), owner);
            });
    lastInput.set(used[0]);
    return latents;
  }

  /**
   * Encodes activations to sparse latents.
   *
   * @param x {@code [..., d_in]} on the SAE's device
   * @return the active latents, in plain Java memory
   * @throws IllegalArgumentException if shape, type or device do not fit
   * @throws IllegalStateException if the SAE is closed
   */
  public SparseLatents encodeSparse(NDArray x) {
    return encodeSparse(x, defaultSelection());
  }

  /**
   * Encodes activations to sparse latents with a selection of your choice.
   *
   * @param x {@code [..., d_in]} on the SAE's device
   * @param selection which pre-activations become active
   * @return the active latents, in plain Java memory
   * @throws IllegalArgumentException if shape, type or device do not fit
   * @throws IllegalStateException if the SAE is closed
   */
  public SparseLatents encodeSparse(NDArray x, Selection selection) {
    Objects.requireNonNull(selection, "selection");
    return inScope(
        x.getManager(),
        scope -> {
          InputRows input = InputRows.withBias(x, config, weights, scope);
          return wrap(csr(input, selection), input);
        });
  }

  /**
   * Encodes activations to sparse latents that stay on the device of the SAE.
   *
   * @param x {@code [..., d_in]} on the SAE's device
   * @return the active latents as native arrays, attached to the manager of {@code x}
   * @throws IllegalArgumentException if shape, type or device do not fit
   * @throws IllegalStateException if the SAE is closed
   */
  public DeviceLatents encodeOnDevice(NDArray x) {
    return encodeOnDevice(x, defaultSelection());
  }

  /**
   * Encodes activations to sparse latents that stay on the device of the SAE, with a selection of
   * your choice.
   *
   * @param x {@code [..., d_in]} on the SAE's device
   * @param selection which pre-activations become active
   * @return the active latents as native arrays, attached to the manager of {@code x}
   * @throws IllegalArgumentException if shape, type or device do not fit
   * @throws IllegalStateException if the SAE is closed
   */
  public DeviceLatents encodeOnDevice(NDArray x, Selection selection) {
    Objects.requireNonNull(selection, "selection");
    NDManager owner = x.getManager();
    return inScope(
        owner,
        scope -> onDevice.encode(new InputRows(x, config, weights, scope), selection, owner));
  }

  /**
   * Encodes activations given as a plain array.
   *
   * @param x {@code [n, d_in]} row-major
   * @return the active latents of {@code n} rows
   * @throws IllegalArgumentException if the length is not a multiple of {@code d_in}
   */
  public SparseLatents encode(float[] x) {
    return encode(FloatBuffer.wrap(x), PlainRows.count(x, dIn()));
  }

  /**
   * Encodes activations given as a buffer.
   *
   * @param x at least {@code rows * d_in} remaining floats, row-major; its position does not move
   * @param rows number of rows
   * @return the active latents
   * @throws IllegalArgumentException if the buffer holds too few floats
   */
  public SparseLatents encode(FloatBuffer x, int rows) {
    return encode(x, rows, defaultSelection());
  }

  /**
   * Encodes activations given as a buffer with a selection of your choice.
   *
   * @param x at least {@code rows * d_in} remaining floats, row-major; its position does not move
   * @param rows number of rows
   * @param selection which pre-activations become active
   * @return the active latents
   * @throws IllegalArgumentException if the buffer holds too few floats
   */
  public SparseLatents encode(FloatBuffer x, int rows, Selection selection) {
    return inScope(scope -> encodeSparse(PlainRows.array(x, rows, dIn(), scope), selection));
  }

  /**
   * Decodes dense latents. For an SAE that normalises each token, the numbers come from the last
   * {@link #encode(NDArray)} of this thread, as in SAELens; {@link #decode(SparseLatents,
   * NDManager)} carries its own.
   *
   * @param latents {@code [..., d_sae]} on the SAE's device
   * @return reconstruction {@code [..., d_in]}, attached to the manager of {@code latents}
   * @throws IllegalArgumentException if the last dimension is not {@code d_sae}
   * @throws IllegalStateException if the SAE is closed, or needs an encode of as many tokens first
   */
  public NDArray decode(NDArray latents) {
    long[] shape = latents.getShape().getShape();
    if (shape.length == 0 || shape[shape.length - 1] != width) {
      throw new IllegalArgumentException(
          "decode: latents must have shape [..., d_sae] = [..., "
              + width
              + "], got "
              + Arrays.toString(shape));
    }
    weights.requireSameDevice(latents, "decode: latents");
    long[] leading = Arrays.copyOf(shape, shape.length - 1);
    NDManager owner = latents.getManager();
    LastInput last = lastFor(leading);
    return inScope(
        owner,
        scope -> {
          NDArray rows = latents.reshape(new Shape(Shapes.count(leading), width));
          rows.attach(scope);
          NDArray sums = dense.decode(InputRows.cast(rows, weights.dataType(), scope), scope);
          NDArray out = restore(sums, last.scaling, scope);
          return result(out.reshape(Shapes.join(leading, last.tailShape)), owner);
        });
  }

  /**
   * Decodes sparse latents, at a cost in proportion to the active ones.
   *
   * @param latents latents of this SAE or a narrower prefix view, edited or not
   * @param manager owns the result, on the SAE's device
   * @return reconstruction {@code [..., d_in]}
   * @throws IllegalArgumentException if the latents are wider than this SAE
   * @throws IllegalStateException if the SAE is closed
   */
  public NDArray decode(SparseLatents latents, NDManager manager) {
    Objects.requireNonNull(manager, "manager");
    LatentsFit.of(latents).require(config, width);
    return inScope(
        manager,
        scope -> {
          if (weights.onDevice()) {
            return result(onDevice.decode(DeviceLatents.of(latents, scope), scope), manager);
          }
          NDArray sums =
              isReference()
                  ? dense.decode(
                      latents
                          .toDense(scope)
                          .reshape(latents.rows(), latents.width())
                          .toType(weights.dataType(), false),
                      scope)
                  : weights.decoder().decode(withoutDecoderNorms(latents.csr()), scope);
          NDArray out = restore(sums, latents.scaling().orElse(null), scope);
          return result(out.reshape(decodedShape(latents)), manager);
        });
  }

  /**
   * Decodes sparse latents that are on the SAE's device, at a cost in proportion to the active ones
   * and without a way through Java memory.
   *
   * @param latents latents of this SAE or a narrower prefix view
   * @return reconstruction {@code [..., d_in]}, attached to the manager of the latents
   * @throws IllegalArgumentException if the latents are wider than this SAE or on another device
   * @throws IllegalStateException if the SAE is closed
   */
  public NDArray decode(DeviceLatents latents) {
    requireFit(latents);
    NDManager owner = latents.manager();
    return inScope(owner, scope -> result(onDevice.decode(latents, scope), owner));
  }

  /**
   * Decodes sparse latents to a plain array.
   *
   * @param latents latents of this SAE or a narrower prefix view
   * @return {@code [n, d_in]} row-major
   */
  public float[] decode(SparseLatents latents) {
    return inScope(scope -> decode(latents, scope).toType(DataType.FLOAT32, false).toFloatArray());
  }

  /**
   * Reconstructs activations: {@code decode(encode(x))}.
   *
   * @param x {@code [..., d_in]}
   * @return {@code [..., d_in]}, attached to the manager of {@code x}
   */
  public NDArray forward(NDArray x) {
    NDManager owner = x.getManager();
    return inScope(owner, scope -> result(roundTrip(x, scope), owner));
  }

  /**
   * Applies an edit of the latents to activations: decodes the edited latents and adds the error of
   * the unedited ones, so that {@code x} comes back as it was but for the edit (SAELens' error
   * term).
   *
   * @param x {@code [..., d_in]}
   * @param edit changes the latents, such as {@code f -> f.zero(17)}
   * @return {@code [..., d_in]}, attached to the manager of {@code x}
   */
  public NDArray forward(NDArray x, UnaryOperator<SparseLatents> edit) {
    SparseLatents clean = encodeSparse(x);
    SparseLatents edited = edit.apply(clean);
    NDManager owner = x.getManager();
    return inScope(
        owner,
        scope -> {
          NDArray before = decode(clean, scope);
          NDArray after = decode(edited, scope);
          return result(after.sub(before).add(InputRows.cast(x, weights.dataType(), scope)), owner);
        });
  }

  /**
   * Adds a multiple of a latent's decoder direction: {@code x + strength * W_dec[latent]}.
   *
   * @param x {@code [..., d_in]}
   * @param latent index of the latent
   * @param strength the multiple, in units of the latent's activation
   * @return {@code [..., d_in]}, attached to the manager of {@code x}
   */
  public NDArray steer(NDArray x, int latent, float strength) {
    if (latent < 0 || latent >= width) {
      throw new IllegalArgumentException(
          "steer: latent must lie in 0.." + (width - 1) + ", got " + latent);
    }
    float[] direction = decoderRows(latent, latent + 1);
    NDManager owner = x.getManager();
    return inScope(
        owner,
        scope -> {
          InputRows input = new InputRows(x, config, weights, scope);
          NDArray shift = scope.create(direction).mul(strength / weights.normScale());
          NDArray added = shift.toType(weights.dataType(), false).reshape(new Shape(1, dIn()));
          RowScaling scaling = input.scaling();
          if (scaling != null) {
            added = added.mul(scope.create(scaling.scale(), new Shape(input.count, 1)));
          }
          NDArray rows = x.reshape(new Shape(input.count, dIn()));
          rows.attach(scope);
          NDArray out = InputRows.cast(rows, weights.dataType(), scope).add(added);
          return result(out.reshape(x.getShape()), owner);
        });
  }

  /**
   * Returns what the SAE leaves out: {@code x - forward(x)}.
   *
   * @param x {@code [..., d_in]}
   * @return {@code [..., d_in]}, attached to the manager of {@code x}
   */
  public NDArray error(NDArray x) {
    NDManager owner = x.getManager();
    return inScope(
        owner,
        scope -> {
          NDArray back = roundTrip(x, scope);
          return result(InputRows.cast(x, weights.dataType(), scope).sub(back), owner);
        });
  }

  /**
   * Reconstructs activations with every width of {@link #widths()} from one encode.
   *
   * @param x {@code [..., d_in]}
   * @return one {@code [..., d_in]} per width, attached to the manager of {@code x}
   */
  public NDArray[] reconstructions(NDArray x) {
    NDManager owner = x.getManager();
    if (!weights.onDevice()) {
      return reconstructions(encodeSparse(x), owner);
    }
    return inScope(
        owner,
        scope -> {
          InputRows input = new InputRows(x, config, weights, scope);
          int[] levels = levels();
          NDArray[] results =
              isDense(input)
                  ? dense.roundTrips(input, levels, scope)
                  : onDevice.decodeNested(
                      onDevice.encode(input, defaultSelection(), scope), levels, scope);
          return results(results, owner);
        });
  }

  /**
   * Decodes sparse latents with every width of {@link #widths()}, in one pass over them.
   *
   * @param latents latents of this SAE or a narrower prefix view
   * @param manager owns the results
   * @return one {@code [..., d_in]} per width
   */
  public NDArray[] reconstructions(SparseLatents latents, NDManager manager) {
    LatentsFit.of(latents).require(config, width);
    return inScope(
        manager,
        scope -> {
          NDArray[] results =
              weights.decodesOnDevice()
                  ? onDevice.decodeNested(DeviceLatents.of(latents, scope), levels(), scope)
                  : nested(latents, scope);
          return results(results, manager);
        });
  }

  private NDArray[] nested(SparseLatents latents, NDManager scope) {
    Csr csr = withoutDecoderNorms(latents.csr());
    NDArray[] results = weights.decoder().decodeNested(csr, levels(), scope);
    for (int i = 0; i < results.length; i++) {
      NDArray rows = restore(results[i], latents.scaling().orElse(null), scope);
      results[i] = rows.reshape(decodedShape(latents));
    }
    return results;
  }

  /**
   * Decodes sparse latents that are on the SAE's device with every width of {@link #widths()}, in
   * one pass over them.
   *
   * @param latents latents of this SAE or a narrower prefix view
   * @return one {@code [..., d_in]} per width, attached to the manager of the latents
   */
  public NDArray[] reconstructions(DeviceLatents latents) {
    requireFit(latents);
    NDManager owner = latents.manager();
    return inScope(
        owner,
        scope -> {
          return results(onDevice.decodeNested(latents, levels(), scope), owner);
        });
  }

  /**
   * Decodes sparse latents with every width of {@link #widths()} to plain arrays.
   *
   * @param latents latents of this SAE or a narrower prefix view
   * @return {@code [widths, n, d_in]}: one row-major array per width
   */
  public float[][] reconstructions(SparseLatents latents) {
    return inScope(
        scope -> {
          NDArray[] arrays = reconstructions(latents, scope);
          float[][] plain = new float[arrays.length][];
          for (int i = 0; i < plain.length; i++) {
            plain[i] = arrays[i].toType(DataType.FLOAT32, false).toFloatArray();
          }
          return plain;
        });
  }

  /**
   * Returns a view of the first latents: the same memory, thresholds and biases, no copy. Closing a
   * view does not close this SAE; closing this SAE closes its views.
   *
   * @param prefixWidth number of leading latents, from 1 to {@link #dSae()}
   * @return the view
   * @throws IllegalArgumentException if the width is out of range
   */
  public SAE prefix(int prefixWidth) {
    if (prefixWidth < 1 || prefixWidth > width) {
      throw new IllegalArgumentException(
          "prefix width must lie in 1.."
              + width
              + ", got "
              + prefixWidth
              + "; trained widths: "
              + widths);
    }
    use().close();
    return view(weights, prefixWidth, Levels.below(widths, prefixWidth).widths(), logSparsity);
  }

  /** Makes the view of the concrete class. */
  abstract SAE view(
      SaeWeights shared, int prefixWidth, List<Integer> widths, Optional<float[]> logSparsity);

  /**
   * Says how the fast encoder did so far.
   *
   * @return counters since loading, shared with prefix views
   */
  public ScreeningStats screeningStats() {
    return weights.engine().stats();
  }

  /**
   * Returns what the two weight matrices take while the SAE is open; of an SAE of which only a
   * prefix was fetched, those of the prefix. Those of a float32 file on the CPU are mapped, so that
   * only pages in use count as resident.
   *
   * @return bytes, shared with prefix views
   */
  public long weightBytes() {
    return 2L * dIn() * weights.threshold.length * weights.dataType().getNumOfBytes();
  }

  /**
   * Returns what the fast encoder prepares on first use: encoder rows and their int8 codes.
   *
   * @return bytes in memory, and on disk where they are kept; 0 for the reference engine
   */
  public long preparedBytes() {
    return weights.preparedBytes();
  }

  /**
   * Tells whether the SAE, or the SAE that this is a view of, is closed.
   *
   * @return true after {@link #close()}
   */
  public boolean isClosed() {
    return viewClosed || weights.isClosed();
  }

  /** Releases the weights once no call is running. Closing twice is fine. */
  @Override
  public void close() {
    if (view) {
      viewClosed = true;
    } else {
      weights.close();
    }
  }

  @Override
  public String toString() {
    return getClass().getSimpleName()
        + "[d_in="
        + dIn()
        + ", d_sae="
        + width
        + ", widths="
        + widths
        + config.hookPoint().map(h -> ", hook point=" + h).orElse("")
        + "]";
  }

  /** {@code decode(encode(x))}, owned by the scope of a call. */
  private NDArray roundTrip(NDArray x, NDManager scope) {
    if (!weights.onDevice()) {
      return decode(encodeSparse(x), scope);
    }
    InputRows input = new InputRows(x, config, weights, scope);
    return isDense(input)
        ? dense.roundTrip(input, scope)
        : onDevice.decode(onDevice.encode(input, defaultSelection(), scope), scope);
  }

  /** Encodes to Java memory. */
  private Csr csr(InputRows input, Selection selection) {
    EncodeEngine engine = weights.engine();
    return input.shift == null
        ? engine.encode(input.prepared, width, selection.rule())
        : engine.encode(input.prepared, input.shift, width, selection.rule());
  }

  /** Tells whether dense latents are the way from these rows to a dense result. */
  private boolean isDense(InputRows input) {
    return defaultSelection() == Selection.threshold()
        && (isReference() || weights.engine().favoursDense(input.count, width));
  }

  private int[] levels() {
    return new Levels(widths).toArray();
  }

  private void requireFit(DeviceLatents latents) {
    weights.requireSameDevice(latents.activations(), "decode: latents");
    LatentsFit.of(latents).require(config, width);
  }

  private boolean isReference() {
    return weights.engine() == weights.reference();
  }

  /**
   * Visible latents of a rescaling TopK SAE are scaled by decoder norms; decoding takes that back.
   */
  private Csr withoutDecoderNorms(Csr csr) {
    if (weights.decoderNorms().isEmpty()) {
      return csr;
    }
    float[] norms = weights.decoderNorms().get();
    float[] values = csr.values().clone();
    for (int e = 0; e < values.length; e++) {
      values[e] /= norms[csr.latents()[e]];
    }
    return new Csr(csr.rowOffsets(), csr.latents(), values);
  }

  /** Adds {@code b_dec}, then undoes the normalisation. */
  private NDArray restore(NDArray sums, RowScaling scaling, NDManager scope) {
    NDArray rows = sums.addi(weights.bDecArray());
    if (scaling == null) {
      return weights.restore(rows, null, null);
    }
    Shape column = new Shape(scaling.scale().length, 1);
    DataType type = weights.dataType();
    return weights.restore(
        rows,
        scope.create(scaling.scale(), column).toType(type, false),
        scope.create(scaling.mean(), column).toType(type, false));
  }

  private LastInput lastFor(long[] leading) {
    LastInput last = lastInput.get();
    boolean fits = last != null && Arrays.equals(last.leadingShape, leading);
    if (config.normalizeActivations().isPerToken() && !fits) {
      throw new IllegalStateException(
          "decode: this SAE normalises each token ("
              + config.normalizeActivations().key()
              + "), so dense latents can be decoded only after an encode of the same tokens on this"
              + " thread; use encodeSparse, whose result carries what decoding needs");
    }
    return fits ? last : new LastInput(null, leading, new long[] {dIn()});
  }

  private SparseLatents wrap(Csr csr, InputRows input) {
    return new SparseLatents(csr, width, input.leadingShape, input.tailShape, input.scaling());
  }

  private Shape decodedShape(SparseLatents latents) {
    return Shapes.decoded(latents.leadingShape(), latents.tailShape(), dIn());
  }

  private static NDArray result(NDArray array, NDManager owner) {
    array.attach(owner);
    return array;
  }

  private static NDArray[] results(NDArray[] arrays, NDManager owner) {
    Arrays.stream(arrays).forEach(array -> array.attach(owner));
    return arrays;
  }

  private SaeWeights.Use use() {
    if (viewClosed) {
      throw new IllegalStateException("this prefix view is closed; take a new one with prefix(w)");
    }
    return weights.use();
  }

  private interface Call<T> {
    T in(NDManager scope);
  }

  /** Runs a call whose temporaries die with it; the weights stay alive meanwhile. */
  private <T> T inScope(NDManager owner, Call<T> call) {
    try (SaeWeights.Use use = use();
        NDManager scope = owner.newSubManager(weights.manager().getDevice())) {
      Objects.requireNonNull(use);
      return weights.compute(() -> call.in(scope));
    }
  }

  private <T> T inScope(Call<T> call) {
    return inScope(weights.manager(), call);
  }
}
