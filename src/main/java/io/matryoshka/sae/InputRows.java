package io.matryoshka.sae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.kernel.HostCopy;
import io.matryoshka.sae.kernel.TorchKernels;
import java.util.Arrays;
import java.util.List;

/**
 * Model activations as rows ready to encode, and the way back: {@code cast, flatten heads,
 * normalise, minus b_dec}, in SAELens' order. Everything is owned by the scope of the call.
 */
final class InputRows {

  /** SAELens adds this to the standard deviation before dividing, but not before restoring. */
  private static final double LAYER_NORM_EPSILON = 1e-5;

  /** Beside bfloat16, which DJL does not name. */
  private static final List<DataType> FLOATS =
      List.of(DataType.FLOAT32, DataType.FLOAT64, DataType.FLOAT16);

  final long[] leadingShape;

  /** Shape of one row in the input: {@code [d_in]} or {@code [heads, d_head]}. */
  final long[] tailShape;

  final int count;

  /** {@code [n, d_in]} prepared rows, but for {@link #shift}. */
  final NDArray prepared;

  /** {@code [d_in]} what is still to be subtracted from each row; null where nothing is. */
  final NDArray shift;

  /** {@code [n, 1]} factor and mean that decoding puts back; null where there is none. */
  final NDArray scale;

  final NDArray mean;

  InputRows(NDArray x, SaeConfig config, SaeWeights weights, NDManager scope) {
    this(x, config, weights, false, scope);
  }

  /** Leaves it to the engine to subtract {@code b_dec}, where the SAE does so. */
  static InputRows withBias(NDArray x, SaeConfig config, SaeWeights weights, NDManager scope) {
    return new InputRows(x, config, weights, true, scope);
  }

  private InputRows(
      NDArray x, SaeConfig config, SaeWeights weights, boolean keepsBias, NDManager scope) {
    long[] shape = x.getShape().getShape();
    int tail = tailRank(shape, config);
    leadingShape = Arrays.copyOf(shape, shape.length - tail);
    tailShape = Arrays.copyOfRange(shape, shape.length - tail, shape.length);
    count = Math.toIntExact(Shapes.count(leadingShape));
    if (!FLOATS.contains(x.getDataType()) && !isBfloat16(x)) {
      throw new IllegalArgumentException(
          "encode: activations must be float16, bfloat16, float32 or float64, got "
              + x.getDataType());
    }
    weights.requireSameDevice(x, "encode: activations");
    NDArray rows = x.reshape(new Shape(count, config.dIn()));
    rows.attach(scope);
    rows = cast(rows, weights.dataType(), scope);
    NDArray rowScale = null;
    NDArray rowMean = null;
    double normScale = weights.normScale();
    if (count > 0) {
      switch (config.normalizeActivations()) {
        case CONSTANT_NORM_RESCALE -> {
          NDArray norm = rows.norm(new int[] {1}, true);
          rowScale = norm.div(Math.sqrt(config.dIn()));
          rows = rows.div(rowScale);
        }
        case LAYER_NORM -> {
          rowMean = rows.mean(new int[] {1}, true);
          NDArray centred = rows.sub(rowMean);
          NDArray squares = centred.square().sum(new int[] {1}, true);
          rowScale = squares.div(config.dIn() - 1).sqrt();
          rows = centred.div(rowScale.add(LAYER_NORM_EPSILON));
        }
        default -> {
          if (normScale != 1) {
            rows = rows.mul(normScale);
          }
        }
      }
    }
    scale = rowScale;
    mean = rowMean;
    NDArray bias = config.applyBDecToInput() ? weights.bDecArray() : null;
    shift = keepsBias ? bias : null;
    prepared = keepsBias || bias == null ? rows : rows.sub(bias);
  }

  private static int tailRank(long[] shape, SaeConfig config) {
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
        "encode: activations must have shape [..., d_in] = [..., "
            + config.dIn()
            + "]"
            + (config.reshapeHookZ() ? " or [..., heads, d_head]" : "")
            + ", got "
            + Arrays.toString(shape)
            + config.hookPoint().map(h -> " (hook point " + h + ")").orElse("")
            + "; check that they come from the hook point of this SAE");
  }

  /** Gives activations in the type that the SAE computes in, owned by the scope of the call. */
  static NDArray cast(NDArray x, DataType type, NDManager scope) {
    NDArray own = x.reshape(x.getShape());
    own.attach(scope);
    if (isBfloat16(own)) {
      own = TorchKernels.on(own.getDevice()).toFloat32(own);
      own.attach(scope);
    }
    return own.getDataType() == type ? own : own.toType(type, false);
  }

  private static boolean isBfloat16(NDArray x) {
    return TorchKernels.on(x.getDevice()).isBfloat16(x);
  }

  /** The numbers that decoding needs of each row, or null where it needs none. */
  RowScaling scaling() {
    return scaling(scale, mean, count);
  }

  /** Copies factors and means of rows into Java memory; null where there are none. */
  static RowScaling scaling(NDArray scale, NDArray mean, int rows) {
    if (scale == null) {
      return null;
    }
    return new RowScaling(
        HostCopy.floats(scale), mean == null ? new float[rows] : HostCopy.floats(mean));
  }
}
