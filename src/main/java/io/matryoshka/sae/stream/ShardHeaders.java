package io.matryoshka.sae.stream;

import io.matryoshka.sae.npy.NpyFile;
import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import io.matryoshka.sae.safetensors.TensorInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;

/** Reads the headers of files and says which tensor of each holds the activations. */
final class ShardHeaders {

  private static final Set<Dtype> FLOATS = Set.of(Dtype.F16, Dtype.BF16, Dtype.F32, Dtype.F64);

  /** Far beyond any model; keeps a wrong file from asking for huge rows. */
  private static final int MAX_D_IN = 1 << 24;

  private final OptionalInt dIn;
  private final Optional<String> tensor;

  /**
   * Says what is looked for.
   *
   * @param dIn the last dimension, any if empty
   * @param tensor the name of the tensor in safetensors files, the only fitting one if empty
   */
  ShardHeaders(OptionalInt dIn, Optional<String> tensor) {
    this.dIn = dIn;
    this.tensor = tensor;
  }

  ActivationShard read(Path file, long firstRow) throws IOException {
    BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
    if (ActivationFiles.isNpy(file)) {
      try (NpyFile npy = NpyFile.open(file)) {
        requireFloats(file + ": the array", npy.descr(), npy.descr().substring(1).startsWith("f"));
        return shard(file, "", npy.descr(), npy.shape(), firstRow, attributes);
      }
    }
    try (SafetensorsFile safetensors = SafetensorsFile.open(file)) {
      TensorInfo info = tensor.isPresent() ? named(safetensors) : only(safetensors);
      return shard(file, info.name(), info.dtype().name(), info.shape(), firstRow, attributes);
    }
  }

  private TensorInfo named(SafetensorsFile file) throws IOException {
    Optional<TensorInfo> info = file.find(tensor.get());
    if (info.isEmpty()) {
      throw new ActivationException(
          file.path() + ": has no tensor \"" + tensor.get() + "\"; it has " + describe(file));
    }
    requireFloats(
        file.path() + ": tensor \"" + tensor.get() + "\"",
        info.get().dtype().name(),
        FLOATS.contains(info.get().dtype()));
    return info.get();
  }

  private TensorInfo only(SafetensorsFile file) throws IOException {
    List<TensorInfo> fitting = file.tensors().stream().filter(this::fits).toList();
    if (fitting.size() != 1) {
      throw new ActivationException(
          file.path()
              + ": expected one floating tensor of shape "
              + expectedShape()
              + ", found "
              + fitting.size()
              + "; name the tensor that holds the activations. The file has "
              + describe(file));
    }
    return fitting.get(0);
  }

  private boolean fits(TensorInfo info) {
    long[] shape = info.shape();
    return FLOATS.contains(info.dtype())
        && shape.length >= 2
        && (dIn.isEmpty() || shape[shape.length - 1] == dIn.getAsInt());
  }

  private static String describe(SafetensorsFile file) {
    return file.tensors().isEmpty()
        ? "no tensors"
        : file.tensors().stream()
            .limit(20)
            .map(t -> t.name() + " " + t.dtype() + Arrays.toString(t.shape()))
            .collect(Collectors.joining(", "));
  }

  private static void requireFloats(String subject, String dtype, boolean isFloat)
      throws ActivationException {
    if (!isFloat) {
      throw new ActivationException(
          subject
              + " has dtype "
              + dtype
              + ", expected float16, bfloat16, float32 or float64 activations");
    }
  }

  private ActivationShard shard(
      Path file,
      String name,
      String dtype,
      long[] shape,
      long firstRow,
      BasicFileAttributes attributes)
      throws ActivationException {
    long last = shape.length == 0 ? 0 : shape[shape.length - 1];
    boolean fits = dIn.isPresent() ? last == dIn.getAsInt() : last > 0 && last <= MAX_D_IN;
    if (shape.length < 2 || !fits) {
      throw new ActivationException(
          file
              + (name.isEmpty() ? ": the array" : ": tensor \"" + name + "\"")
              + " has shape "
              + Arrays.toString(shape)
              + ", expected "
              + expectedShape()
              + "; check that the activations come from the hook point of this SAE");
    }
    long[] leading = Arrays.copyOf(shape, shape.length - 1);
    boolean empty = Arrays.stream(leading).anyMatch(dimension -> dimension == 0);
    long rows = empty ? 0 : Arrays.stream(leading).reduce(1, Math::multiplyExact);
    return new ActivationShard(
        file,
        name,
        dtype,
        Arrays.stream(shape).boxed().toList(),
        rows,
        firstRow,
        attributes.size(),
        attributes.lastModifiedTime());
  }

  private String expectedShape() {
    return "[..., d_in]" + (dIn.isPresent() ? " = [..., " + dIn.getAsInt() + "]" : "");
  }
}
