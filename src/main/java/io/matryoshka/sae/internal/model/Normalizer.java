package io.matryoshka.sae.internal.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.config.SaeConfig;
import io.matryoshka.sae.internal.kernel.torch.TorchKernels;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The way of model activations into an encoder, {@code cast, flatten heads, normalise, minus b_dec}
 * in SAELens' order, and the way of reconstructions back.
 */
public final class Normalizer {

  /** SAELens adds this to the standard deviation before dividing, but not before restoring. */
  private static final double LAYER_NORM_EPSILON = 1e-5;

  /** Rows with larger values are normalised after multiplication by {@link #ENORMOUS_FACTOR}. */
  private static final double ENORMOUS = 0x1p50;

  private static final double ENORMOUS_FACTOR = 0x1p-80;

  /** Beside bfloat16, which DJL does not name. */
  private static final List<DataType> FLOATS =
      List.of(DataType.FLOAT32, DataType.FLOAT64, DataType.FLOAT16);

  private final SaeConfig config;
  private final double normScale;
  private final NDArray bDec;
  private final Optional<NDArray> skip;
  private final Optional<NDArray> shift;
  private final boolean takesPlainRows;

  /**
   * Prepares for an SAE.
   *
   * @param config says how activations are normalised
   * @param normScale factor on model activations that a release asks for; 1 for none
   * @param bDec {@code [d_in]} of the type that the SAE computes in
   * @param skip {@code [d_in, d_out]} the skip connection of a transcoder
   */
  Normalizer(SaeConfig config, double normScale, NDArray bDec, Optional<NDArray> skip) {
    this.config = config;
    this.normScale = normScale;
    this.bDec = bDec;
    this.skip = skip;
    shift = config.applyBDecToInput() ? Optional.of(bDec) : Optional.empty();
    takesPlainRows =
        normScale == 1
            && !config.normalizeActivations().isPerToken()
            && !config.architecture().isTranscoder();
  }

  /** A normalised batch and what decoding puts back. */
  private record Normalized(NDArray rows, ArrayScaling scaling) {}

  /**
   * Takes activations as they lie where nothing is to be done to them, without an array of their
   * own: rows {@code [n, d_in]} of the type that the SAE computes in, which are not normalised.
   *
   * @param x the activations
   * @return the rows, of which the encoder still has to subtract {@code b_dec} where the SAE does;
   *     they stay the caller's
   */
  public Optional<PreparedRows> inPlace(NDArray x) {
    Shape shape = x.getShape();
    boolean ready =
        takesPlainRows
            && shape.dimension() == 2
            && shape.get(1) == config.dIn()
            && x.getDataType() == bDec.getDataType();
    return ready
        ? Optional.of(
            new PreparedRows(
                new long[] {shape.get(0)}, new long[] {config.dIn()}, x, shift, ArrayScaling.NONE))
        : Optional.empty();
  }

  /**
   * Checks and normalises activations.
   *
   * @param x {@code [..., d_in]} or, where heads are flattened, {@code [..., heads, d_head]}
   * @param scope owns the result
   * @return the rows, of which the encoder still has to subtract {@code b_dec} where the SAE does
   * @throws IllegalArgumentException if shape or type do not fit
   */
  public PreparedRows prepare(NDArray x, NDManager scope) {
    long[] shape = x.getShape().getShape();
    int tail = tailRank(shape);
    requireFloats(x);
    long[] leading = Arrays.copyOf(shape, shape.length - tail);
    NDArray rows = x.reshape(new Shape(Shapes.count(leading), config.dIn()));
    rows.attach(scope);
    Normalized normalized = normalize(cast(rows, scope));
    return new PreparedRows(
        leading,
        config.architecture().isTranscoder()
            ? new long[] {config.dOut()}
            : Arrays.copyOfRange(shape, shape.length - tail, shape.length),
        normalized.rows,
        shift,
        normalized.scaling);
  }

  private Normalized normalize(NDArray rows) {
    boolean empty = rows.getShape().get(0) == 0;
    return switch (config.normalizeActivations()) {
      case NONE, EXPECTED_AVERAGE_ONLY_IN ->
          new Normalized(normScale == 1 || empty ? rows : rows.mul(normScale), ArrayScaling.NONE);
      case CONSTANT_NORM_RESCALE -> empty ? unscaled(rows) : constantNorm(rows);
      case LAYER_NORM -> empty ? unscaled(rows) : layerNorm(rows);
    };
  }

  private static Normalized unscaled(NDArray rows) {
    return new Normalized(rows, ArrayScaling.NONE);
  }

  private Normalized constantNorm(NDArray rows) {
    NDArray factor = againstOverflow(rows);
    NDArray norm = rows.mul(factor).norm(new int[] {1}, true);
    NDArray scale = norm.div(Math.sqrt(config.dIn())).div(factor);
    return new Normalized(rows.div(scale), ArrayScaling.of(scale));
  }

  private Normalized layerNorm(NDArray rows) {
    NDArray factor = againstOverflow(rows);
    NDArray small = rows.mul(factor);
    NDArray mean = small.mean(new int[] {1}, true);
    NDArray centred = small.sub(mean);
    NDArray squares = centred.square().sum(new int[] {1}, true);
    NDArray scale = squares.div(config.dIn() - 1).sqrt();
    return new Normalized(
        centred.div(scale.add(factor.mul(LAYER_NORM_EPSILON))),
        ArrayScaling.of(scale.div(factor), mean.div(factor)));
  }

  /**
   * Returns a power of two for each row, {@code [n, 1]}, which keeps the squares of its values
   * within float32: 1 for all rows but those of enormous values, so that their bits stay.
   */
  private static NDArray againstOverflow(NDArray rows) {
    NDArray largest = rows.abs().max(new int[] {1}, true);
    NDArray ones = largest.onesLike();
    return NDArrays.where(largest.gt(ENORMOUS), ones.mul(ENORMOUS_FACTOR), ones);
  }

  /**
   * Undoes the normalisation of the input, in its shape, and adds what a skip connection makes of
   * it: {@code x W_skip}.
   *
   * @param decoded {@code [n, d_in]} decoded rows, of a transcoder {@code [n, d_out]}
   * @param input the rows as they were prepared
   * @return the shape of the input, on the manager of {@code decoded}
   */
  public NDArray restore(NDArray decoded, PreparedRows input) {
    NDArray rows = restore(decoded, input.scaling());
    NDArray output = skip(input).map(rows::add).orElse(rows);
    Shape shape = Shapes.join(input.leadingShape(), input.tailShape());
    return output.getShape().equals(shape) ? output : output.reshape(shape);
  }

  /** Whether outputs have a product of the input with a matrix added. */
  public boolean hasSkip() {
    return skip.isPresent();
  }

  /** The factor on model activations that a release asks for; 1 for none. */
  public double normScale() {
    return normScale;
  }

  /** What a skip connection makes of the input, {@code [n, d_out]}; empty without one. */
  public Optional<NDArray> skip(PreparedRows input) {
    return skip.map(map -> input.rows().matMul(map));
  }

  /**
   * Undoes the normalisation of the input.
   *
   * @param rows {@code [n, d_in]} decoded rows
   * @param scaling what was taken from the rows
   * @return {@code [n, d_in]} on the manager of {@code rows}
   */
  public NDArray restore(NDArray rows, ArrayScaling scaling) {
    if (scaling.scale().isEmpty()) {
      return normScale == 1 ? rows : rows.div(normScale);
    }
    NDArray out = rows.mul(scaling.scale().get());
    return scaling.mean().isPresent() ? out.add(scaling.mean().get()) : out;
  }

  /**
   * Undoes the normalisation of the input.
   *
   * @param rows {@code [n, d_in]} decoded rows
   * @param scaling what was taken from the rows
   * @param scope owns temporaries
   * @return {@code [n, d_in]} on the manager of {@code rows}
   */
  public NDArray restore(NDArray rows, RowScaling scaling, NDManager scope) {
    return restore(rows, scaling.toArrays(bDec.getDataType(), scope));
  }

  /**
   * Scales a direction of the decoder as reconstructions are: what a change of a latent by {@code
   * strength} adds to the activations of each row.
   *
   * @param direction {@code [1, d_in]} decoder row
   * @param strength the change of the latent
   * @param scaling what was taken from the rows
   * @return {@code [1, d_in]}, or {@code [n, d_in]} where rows are normalised one by one
   */
  public NDArray shift(NDArray direction, float strength, ArrayScaling scaling) {
    NDArray shift = direction.mul(strength / normScale).toType(bDec.getDataType(), false);
    return scaling.scale().map(shift::mul).orElse(shift);
  }

  /**
   * Converts activations to the type that the SAE computes in.
   *
   * @param x activations of any floating type
   * @param scope owns the result
   * @return the same shape
   */
  public NDArray cast(NDArray x, NDManager scope) {
    NDArray own = x.reshape(x.getShape());
    own.attach(scope);
    if (isBfloat16(own)) {
      own = TorchKernels.on(own.getDevice()).toFloat32(own);
      own.attach(scope);
    }
    DataType type = bDec.getDataType();
    return own.getDataType() == type ? own : own.toType(type, false);
  }

  private int tailRank(long[] shape) {
    int rank = shape.length;
    if (config.reshapeHookZ()
        && rank >= 2
        && shape[rank - 1] * shape[rank - 2] == config.dIn()
        && !(shape[rank - 1] == config.dIn() && shape[rank - 2] != 1)) {
      return 2;
    }
    if (rank >= 1 && shape[rank - 1] == config.dIn()) {
      return 1;
    }
    throw new IllegalArgumentException(
        "encode: activations must have shape [..., d_in] = [..., %d]%s, got %s%s; check that they come from the hook point of this SAE"
            .formatted(
                config.dIn(),
                config.reshapeHookZ() ? " or [..., heads, d_head]" : "",
                Arrays.toString(shape),
                config.hookPoint().map(h -> " (hook point " + h + ")").orElse("")));
  }

  private static void requireFloats(NDArray x) {
    if (!FLOATS.contains(x.getDataType()) && !isBfloat16(x)) {
      throw new IllegalArgumentException(
          "encode: activations must be float16, bfloat16, float32 or float64, got "
              + x.getDataType());
    }
  }

  private static boolean isBfloat16(NDArray x) {
    return TorchKernels.on(x.getDevice()).isBfloat16(x);
  }
}
