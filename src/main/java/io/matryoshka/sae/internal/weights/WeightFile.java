package io.matryoshka.sae.internal.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.config.SaeConfig;
import io.matryoshka.sae.config.SaeFormatException;
import io.matryoshka.sae.config.TensorNames;
import io.matryoshka.sae.internal.io.FileBytes;
import io.matryoshka.sae.internal.kernel.prepared.WeightSource;
import io.matryoshka.sae.safetensors.Dtype;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The tensors of an SAE, checked against the configuration. Matrices of the right type are mapped
 * without a copy; others are widened in Java.
 */
public final class WeightFile implements AutoCloseable {

  /** Elements converted at once, and the largest piece that is mapped as one array. */
  private static final int PIECE_ELEMENTS = 1 << 26;

  private static final int NARROWED_AT_ONCE = 1 << 16;

  private static final int CHECKED_AT_ONCE = 1 << 18;

  private final TensorFile file;
  private final SaeConfig config;
  private final FileState opened;

  /** Buffers behind arrays that use mapped memory: reachable as long as this object is. */
  private final List<ByteBuffer> mapped = new ArrayList<>();

  /**
   * Checks tensors against the configuration.
   *
   * @param file the tensors under SAELens' names, closed with this object, also where this fails
   * @param config the configuration that they must fit
   * @param path the file on disk, to notice when it is written over
   * @throws SaeFormatException if they do not
   * @throws IOException if the file cannot be read
   */
  public WeightFile(TensorFile file, SaeConfig config, Path path) throws IOException {
    this.config = config;
    this.opened = FileState.of(path);
    this.file = file;
    try {
      WeightSchema.check(file.tensors(), config, file.name());
      checkScalingFactor();
    } catch (IOException | RuntimeException e) {
      file.close();
      throw e;
    }
  }

  /** SAELens drops a factor of ones; it has no class that takes any other. */
  private void checkScalingFactor() throws IOException {
    Optional<StoredTensor> tensor = file.find(TensorNames.SCALING_FACTOR);
    for (double factor : tensor.isPresent() ? doublesOf(tensor.get()) : new double[0]) {
      if (!(Math.abs(factor - 1) <= 1e-5)) {
        throw new SaeFormatException(
            file.name()
                + ": tensor scaling_factor must be all ones, got "
                + factor
                + "; multiply it into W_dec and save the SAE again");
      }
    }
  }

  /** The names of all tensors. */
  public Set<String> names() {
    return file.tensors().stream().map(StoredTensor::name).collect(Collectors.toSet());
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

  /** The file, for messages. */
  public String name() {
    return file.name();
  }

  private StoredTensor tensor(String name) {
    return file.find(name).orElseThrow(); // the schema was checked
  }

  /** A vector in float32, rounded to the SAE's dtype first. */
  public float[] vector(String name) throws IOException {
    StoredTensor tensor = tensor(name);
    float[] values = new float[Math.toIntExact(tensor.elementCount())];
    readRounded(tensor, 0, values, values.length);
    return values;
  }

  /**
   * A vector with the bits of the SAE's dtype, in float64. Thresholds are not rounded: SAELens
   * keeps them in float32 whatever the dtype (since 2026-08).
   */
  public double[] doubles(String name) throws IOException {
    if (config.dtype() == Dtype.F64 || name.equals(TensorNames.THRESHOLD)) {
      return finiteDoubles(tensor(name));
    }
    float[] rounded = vector(name);
    double[] values = new double[rounded.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = rounded[i];
    }
    return values;
  }

  private double[] finiteDoubles(StoredTensor tensor) throws IOException {
    return finite(tensor, 0, doublesOf(tensor));
  }

  private static double[] doublesOf(StoredTensor tensor) throws IOException {
    double[] values = new double[Math.toIntExact(tensor.elementCount())];
    tensor.readDoubles(0, values, 0, values.length);
    return values;
  }

  public NDArray vectorArray(String name, NDManager manager) throws IOException {
    if (config.dtype() == Dtype.F64) {
      return manager.create(finiteDoubles(tensor(name)));
    }
    return manager.create(vector(name));
  }

  /** A matrix in the computing type: float64 for F64, float32 for all others. */
  public NDArray matrix(String name, NDManager manager) throws IOException {
    StoredTensor tensor = tensor(name);
    long rows = tensor.shape()[0];
    long columns = tensor.shape()[1];
    long pieceRows = Math.max(1, PIECE_ELEMENTS / columns);
    if (direct(tensor) && rows * columns * Float.BYTES <= Integer.MAX_VALUE) {
      pieceRows = rows;
    }
    NDList pieces = new NDList();
    for (long first = 0; first < rows; first += pieceRows) {
      long count = Math.min(pieceRows, rows - first);
      pieces.add(piece(tensor, first * columns, count, columns, manager));
    }
    if (pieces.size() == 1) {
      return pieces.get(0);
    }
    try (NDList parts = pieces) {
      return NDArrays.concat(parts);
    }
  }

  /** Tells whether the bytes of the file are those of the array. */
  private boolean direct(StoredTensor tensor) {
    return tensor.dtype() == Dtype.F32
        && config.dtype() == Dtype.F32
        && tensor.isContiguous()
        && tensor.source() instanceof FileBytes
        && tensor.position() % Float.BYTES == 0
        && ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;
  }

  private NDArray piece(StoredTensor tensor, long first, long rows, long columns, NDManager manager)
      throws IOException {
    Shape shape = new Shape(rows, columns);
    int count = Math.toIntExact(rows * columns);
    if (direct(tensor)) {
      ByteBuffer bytes = tensor.map(first, count).orElseThrow();
      mapped.add(bytes);
      return manager.create(bytes, shape, DataType.FLOAT32);
    }
    if (config.dtype() == Dtype.F64) {
      double[] values = new double[count];
      tensor.readDoubles(first, values, 0, count);
      return manager.create(finite(tensor, first, values), shape);
    }
    float[] values = new float[count];
    readRounded(tensor, first, values, count);
    return manager.create(values, shape);
  }

  /** Streams a matrix in float32 without leaving its pages in resident memory. */
  public WeightSource source(String name) {
    StoredTensor tensor = tensor(name);
    return (first, target, count) -> readRounded(tensor, first, target, count);
  }

  /** Reads elements and rounds them as SAELens does: to float32, then to the SAE's dtype. */
  private void readRounded(StoredTensor tensor, long first, float[] target, int count)
      throws IOException {
    if (tensor.dtype() == Dtype.F64) {
      double[] wide = new double[Math.min(count, NARROWED_AT_ONCE)];
      for (int done = 0; done < count; ) {
        int n = Math.min(wide.length, count - done);
        tensor.readDoubles(first + done, wide, 0, n);
        for (int i = 0; i < n; i++) {
          target[done + i] = (float) wide[i];
        }
        done += n;
      }
    } else {
      tensor.readFloats(first, target, 0, count);
    }
    round(target, count);
    requireFinite(tensor, first, target, count);
  }

  /** Reads rows of a matrix that is used where it lies, and refuses what is not a number. */
  public void requireFiniteRow(String name, int row) throws IOException {
    StoredTensor tensor = tensor(name);
    int columns = Math.toIntExact(tensor.shape()[1]);
    float[] values = new float[columns];
    readRounded(tensor, (long) row * columns, values, columns);
  }

  /** Reads both matrices where they are used as they lie, and refuses what is not a number. */
  public void requireFiniteMatrices() throws IOException {
    for (String name : List.of(TensorNames.W_ENC, TensorNames.W_DEC)) {
      StoredTensor tensor = tensor(name);
      if (direct(tensor)) {
        float[] values = new float[CHECKED_AT_ONCE];
        for (long first = 0; first < tensor.elementCount(); first += values.length) {
          int count = (int) Math.min(values.length, tensor.elementCount() - first);
          readRounded(tensor, first, values, count);
        }
      }
    }
  }

  private void requireFinite(StoredTensor tensor, long first, float[] values, int count)
      throws IOException {
    for (int i = 0; i < count; i++) {
      if (!Float.isFinite(values[i])) {
        throw notFinite(tensor, first + i, values[i]);
      }
    }
  }

  private double[] finite(StoredTensor tensor, long first, double[] values) throws IOException {
    for (int i = 0; i < values.length; i++) {
      if (!Double.isFinite(values[i])) {
        throw notFinite(tensor, first + i, values[i]);
      }
    }
    return values;
  }

  private SaeFormatException notFinite(StoredTensor tensor, long position, double value) {
    long[] shape = tensor.shape();
    String index =
        shape.length == 2
            ? position / shape[1] + ", " + position % shape[1]
            : String.valueOf(position);
    return new SaeFormatException(
        "%s: %s[%s] is %s as %s; an SAE needs finite weights: the file is damaged, training went"
                .formatted(file.name(), tensor.name(), index, value, config.dtype())
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
