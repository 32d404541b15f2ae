package io.matryoshka.sae.lm;

import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import io.matryoshka.sae.safetensors.TensorInfo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The tensors of a model, each mapped in the file's type when it is first asked for. Nothing is
 * copied but tensors that cannot be mapped, which are read to float32.
 */
final class ModelWeights implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(ModelWeights.class);

  private static final int FLOAT32 = 6;
  private static final int BFLOAT16 = 15;

  /** Elements that are read to one Java array. */
  private static final long PIECE_ELEMENTS = 1 << 24;

  private final ModelFiles files;
  private final Map<String, long[]> shapes;
  private final ModelKernels kernels = ModelKernels.arrays();
  private final NDManager manager = kernels.newManager();
  private final Map<String, NDArray> tensors = new HashMap<>();
  private final Map<MapKey, NDArray> maps = new HashMap<>();

  /** Bytes of all tensors in their files; 0 until these were looked at. */
  private long checkedBytes;

  /** A whole file as an array of one type; a file with two types is mapped twice. */
  private record MapKey(Path file, Dtype dtype) {}

  private ModelWeights(ModelFiles files, Map<String, long[]> shapes) {
    this.files = files;
    this.shapes = shapes;
  }

  /**
   * Opens the weights of a model. Those of a folder are checked before any is used.
   *
   * @param shapes the tensors that the model has, and the shape of each
   */
  static ModelWeights open(ModelFiles files, Map<String, long[]> shapes) throws IOException {
    ModelWeights weights = new ModelWeights(files, shapes);
    try {
      if (files.isLocal()) {
        weights.check();
      }
      return weights;
    } catch (IOException | RuntimeException e) {
      weights.close();
      throw e;
    }
  }

  private void check() throws IOException {
    Map<Path, SafetensorsFile> open = new HashMap<>();
    try {
      for (String name : shapes.keySet()) {
        Path path = file(name);
        SafetensorsFile file = open.get(path);
        if (file == null) {
          file = SafetensorsFile.open(path);
          open.put(path, file);
        }
        checkedBytes += info(file, name).byteCount();
      }
    } finally {
      for (SafetensorsFile file : open.values()) {
        file.close();
      }
    }
  }

  /**
   * Returns the bytes of all tensors once each of them was needed. Where files come when they are
   * needed, their type is not known before.
   *
   * @param bytesPerElement of such files
   */
  long bytes(int bytesPerElement) {
    return checkedBytes > 0
        ? checkedBytes
        : bytesPerElement
            * shapes.values().stream()
                .mapToLong(shape -> Arrays.stream(shape).reduce(1, Math::multiplyExact))
                .sum();
  }

  private Path file(String name) throws IOException {
    if (!files.tensors().contains(name)) {
      throw new ModelFormatException(files.name() + ": tensor " + name + " is missing");
    }
    return files.fileOf(name);
  }

  private TensorInfo info(SafetensorsFile file, String name) throws IOException {
    TensorInfo info = file.info(name);
    if (!Arrays.equals(info.shape(), shapes.get(name))) {
      throw new ModelFormatException(
          "%s: tensor %s: expected shape %s of config.json, got %s"
              .formatted(
                  file.path(),
                  name,
                  Arrays.toString(shapes.get(name)),
                  Arrays.toString(info.shape())));
    }
    if (torchType(info.dtype()) < 0) {
      throw new ModelFormatException(
          "%s: tensor %s: expected type F32, BF16 or F16, got %s"
              .formatted(file.path(), name, info.dtype()));
    }
    return info;
  }

  /** The number by which TorchScript knows a type, -1 for those that are not read. */
  private static int torchType(Dtype dtype) {
    return switch (dtype) {
      case F32 -> FLOAT32;
      case BF16 -> BFLOAT16;
      case F16 -> 5;
      default -> -1;
    };
  }

  /** The number of the type in which matrices are multiplied. */
  static int productType(boolean bfloat16) {
    return bfloat16 ? BFLOAT16 : FLOAT32;
  }

  /** Returns tensors in the type of their file; they belong to this object. */
  List<NDArray> all(List<String> names) {
    return names.stream().map(this::get).toList();
  }

  /**
   * Returns a tensor in the type of its file; it belongs to this object.
   *
   * @throws UncheckedIOException if its file cannot be read or fetched
   */
  synchronized NDArray get(String name) {
    NDArray found = tensors.get(name);
    if (found == null) {
      try {
        found = load(name);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      tensors.put(name, found);
    }
    return found;
  }

  private NDArray load(String name) throws IOException {
    try (SafetensorsFile file = SafetensorsFile.open(file(name))) {
      TensorInfo info = info(file, name);
      int bytes = info.dtype().bits() / Byte.SIZE;
      long begin = file.dataOffset() + info.begin();
      if (begin % bytes == 0 && ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN) {
        try {
          NDArray map = map(file, info.dtype());
          return kernels.call(manager, "part", map, begin / bytes, info.shape());
        } catch (EngineException e) {
          LOG.warn("{} cannot be mapped, reading it: {}", file.path(), e.getMessage());
        }
      }
      return read(file, info);
    }
  }

  private NDArray map(SafetensorsFile file, Dtype dtype) {
    Path path = file.path().toAbsolutePath();
    MapKey key = new MapKey(path, dtype);
    NDArray map = maps.get(key);
    if (map == null) {
      long count = file.fileSize() / (dtype.bits() / Byte.SIZE);
      map = kernels.call(manager, "map", path.toString(), count, torchType(dtype));
      maps.put(key, map);
    }
    return map;
  }

  private NDArray read(SafetensorsFile file, TensorInfo info) throws IOException {
    try (NDManager scope = manager.newSubManager()) {
      NDList pieces = new NDList();
      for (long first = 0; first < info.elementCount(); first += PIECE_ELEMENTS) {
        int count = (int) Math.min(PIECE_ELEMENTS, info.elementCount() - first);
        float[] values = new float[count];
        file.readFloats(info.name(), first, values);
        pieces.add(scope.create(values));
      }
      NDArray whole = pieces.size() == 1 ? pieces.get(0) : NDArrays.concat(pieces);
      NDArray shaped = whole.reshape(new Shape(info.shape()));
      shaped.attach(manager);
      return shaped;
    }
  }

  @Override
  public void close() {
    manager.close();
  }
}
