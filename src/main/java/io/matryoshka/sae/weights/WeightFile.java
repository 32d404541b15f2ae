package io.matryoshka.sae.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.config.SaeConfig;
import io.matryoshka.sae.config.SaeFormatException;
import io.matryoshka.sae.config.TensorNames;
import io.matryoshka.sae.kernel.prepared.WeightSource;
import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import io.matryoshka.sae.safetensors.TensorInfo;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * {@code sae_weights.safetensors}, checked against the configuration. Matrices of the right type
 * are mapped without a copy; others are widened in Java.
 */
public final class WeightFile implements AutoCloseable {

  /** Elements converted at once, and the largest piece that is mapped as one array. */
  private static final int PIECE_ELEMENTS = 1 << 26;

  private static final int NARROWED_AT_ONCE = 1 << 16;

  private static final int CHECKED_AT_ONCE = 1 << 18;

  private final SafetensorsFile file;
  private final SaeConfig config;
  private final FileState opened;

  /** Buffers behind arrays that use mapped memory: reachable as long as this object is. */
  private final List<ByteBuffer> mapped = new ArrayList<>();

  public WeightFile(Path path, SaeConfig config) throws IOException {
    this.config = config;
    this.opened = FileState.of(path);
    this.file = SafetensorsFile.open(path);
    try {
      WeightSchema.check(file.tensors(), config, path.toString());
      checkScalingFactor();
    } catch (IOException | RuntimeException e) {
      file.close();
      throw e;
    }
  }

  /** SAELens drops a factor of ones; it has no class that takes any other. */
  private void checkScalingFactor() throws IOException {
    if (file.find(TensorNames.SCALING_FACTOR).isEmpty()) {
      return;
    }
    for (double factor : file.readDoubles(TensorNames.SCALING_FACTOR)) {
      if (!(Math.abs(factor - 1) <= 1e-5)) {
        throw new SaeFormatException(
            file.path()
                + ": tensor scaling_factor must be all ones, got "
                + factor
                + "; multiply it into W_dec and save the SAE again");
      }
    }
  }

  /** The names of all tensors. */
  public Set<String> names() {
    return file.names();
  }

  /** The configuration that the tensors have the shapes of. */
  public SaeConfig config() {
    return config;
  }

  /**
   * Checks that the file is as it was when it was opened; costs one look at its attributes.
   *
   * @throws IllegalStateException if it was written over; what is mapped must not be used then
   */
  public void requireUnchanged() {
    opened.requireUnchanged();
  }

  public Path path() {
    return file.path();
  }

  /** A vector in float32, rounded to the SAE's dtype first. */
  public float[] vector(String name) throws IOException {
    float[] values = new float[Math.toIntExact(file.info(name).elementCount())];
    readRounded(name, 0, values, values.length);
    return values;
  }

  /** A vector with the bits of the SAE's dtype, in float64. */
  public double[] doubles(String name) throws IOException {
    if (config.dtype() == Dtype.F64) {
      return finite(name, 0, file.readDoubles(name));
    }
    float[] rounded = vector(name);
    double[] values = new double[rounded.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = rounded[i];
    }
    return values;
  }

  public NDArray vectorArray(String name, NDManager manager) throws IOException {
    if (config.dtype() == Dtype.F64) {
      return manager.create(doubles(name));
    }
    return manager.create(vector(name));
  }

  /** A matrix in the computing type: float64 for F64, float32 for all others. */
  public NDArray matrix(String name, NDManager manager) throws IOException {
    TensorInfo info = file.info(name);
    long rows = info.shape()[0];
    long columns = info.shape()[1];
    long pieceRows = Math.max(1, PIECE_ELEMENTS / columns);
    if (direct(info) && rows * columns * Float.BYTES <= Integer.MAX_VALUE) {
      pieceRows = rows;
    }
    NDList pieces = new NDList();
    for (long first = 0; first < rows; first += pieceRows) {
      long count = Math.min(pieceRows, rows - first);
      pieces.add(piece(info, first * columns, count, columns, manager));
    }
    if (pieces.size() == 1) {
      return pieces.get(0);
    }
    try (NDList parts = pieces) {
      return NDArrays.concat(parts);
    }
  }

  private boolean direct(TensorInfo info) {
    return info.dtype() == Dtype.F32
        && config.dtype() == Dtype.F32
        && file.dataOffset() % Float.BYTES == 0
        && ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;
  }

  private NDArray piece(TensorInfo info, long first, long rows, long columns, NDManager manager)
      throws IOException {
    Shape shape = new Shape(rows, columns);
    int count = Math.toIntExact(rows * columns);
    if (direct(info)) {
      ByteBuffer bytes = file.map(info.name(), first * Float.BYTES, (long) count * Float.BYTES);
      mapped.add(bytes);
      return manager.create(bytes, shape, DataType.FLOAT32);
    }
    if (config.dtype() == Dtype.F64) {
      double[] values = new double[count];
      file.readDoubles(info.name(), first, values);
      return manager.create(finite(info.name(), first, values), shape);
    }
    float[] values = new float[count];
    readRounded(info.name(), first, values, count);
    return manager.create(values, shape);
  }

  /** Streams a matrix in float32 without leaving its pages in resident memory. */
  public WeightSource source(String name) {
    return (first, target, count) -> readRounded(name, first, target, count);
  }

  /** Reads elements and rounds them as SAELens does: to float32, then to the SAE's dtype. */
  private void readRounded(String name, long first, float[] target, int count) throws IOException {
    if (file.info(name).dtype() == Dtype.F64) {
      double[] wide = new double[Math.min(count, NARROWED_AT_ONCE)];
      for (int done = 0; done < count; done += wide.length) {
        if (count - done < wide.length) {
          wide = new double[count - done];
        }
        file.readDoubles(name, first + done, wide);
        for (int i = 0; i < wide.length; i++) {
          target[done + i] = (float) wide[i];
        }
      }
    } else {
      file.readFloats(name, first, target, 0, count);
    }
    round(target, count);
    requireFinite(name, first, target, count);
  }

  /** Reads rows of a matrix that is used where it lies, and refuses what is not a number. */
  public void requireFiniteRow(String name, int row) throws IOException {
    int columns = Math.toIntExact(file.info(name).shape()[1]);
    float[] values = new float[columns];
    readRounded(name, (long) row * columns, values, columns);
  }

  /** Reads both matrices where they are used as they lie, and refuses what is not a number. */
  public void requireFiniteMatrices() throws IOException {
    for (String name : List.of(TensorNames.W_ENC, TensorNames.W_DEC)) {
      TensorInfo info = file.info(name);
      if (direct(info)) {
        float[] values = new float[CHECKED_AT_ONCE];
        for (long first = 0; first < info.elementCount(); first += values.length) {
          int count = (int) Math.min(values.length, info.elementCount() - first);
          readRounded(name, first, values, count);
        }
      }
    }
  }

  private void requireFinite(String name, long first, float[] values, int count)
      throws IOException {
    for (int i = 0; i < count; i++) {
      if (!Float.isFinite(values[i])) {
        throw notFinite(name, first + i, values[i]);
      }
    }
  }

  private double[] finite(String name, long first, double[] values) throws IOException {
    for (int i = 0; i < values.length; i++) {
      if (!Double.isFinite(values[i])) {
        throw notFinite(name, first + i, values[i]);
      }
    }
    return values;
  }

  private SaeFormatException notFinite(String name, long position, double value)
      throws IOException {
    long[] shape = file.info(name).shape();
    String index =
        shape.length == 2
            ? position / shape[1] + ", " + position % shape[1]
            : String.valueOf(position);
    return new SaeFormatException(
        "%s: %s[%s] is %s as %s; an SAE needs finite weights: the file is damaged, training went"
                .formatted(file.path(), name, index, value, config.dtype())
            + " wrong, or the type is too narrow for the weights (choose a wider one at loading)");
  }

  private void round(float[] values, int count) {
    if (config.dtype() == Dtype.F16) {
      HalfPrecision.roundToFloat16(values, count);
    } else if (config.dtype() == Dtype.BF16) {
      HalfPrecision.roundToBfloat16(values, count);
    }
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
