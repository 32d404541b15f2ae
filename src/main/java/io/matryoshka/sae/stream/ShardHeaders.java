package io.matryoshka.sae.stream;

import io.matryoshka.sae.npy.HalfType;
import io.matryoshka.sae.npy.NpyFile;
import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import io.matryoshka.sae.safetensors.TensorInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Reads the headers of files and says which tensors of each hold the activations. */
final class ShardHeaders {

  private static final Set<Dtype> FLOATS = Set.of(Dtype.F16, Dtype.BF16, Dtype.F32, Dtype.F64);

  /** Far beyond any model; keeps a wrong file from asking for huge rows. */
  private static final int MAX_D_IN = 1 << 24;

  private static final int MAX_LISTED = 20;

  private final SourceOptions options;

  ShardHeaders(SourceOptions options) {
    this.options = options;
  }

  /** Reads a file's header; the shards are its tensors, in the order of their rows. */
  List<ActivationShard> read(Path file, long firstRow) throws IOException {
    if (InputFiles.isNpy(file)) {
      return List.of(readNpy(file, firstRow));
    }
    List<ActivationShard> shards = new ArrayList<>();
    try (SafetensorsFile safetensors = SafetensorsFile.open(file)) {
      long next = firstRow;
      for (TensorInfo info : tensors(safetensors)) {
        String where = where(file, info.name());
        requireFloats(where, info.dtype().name(), isRead(info.dtype()), is16Bits(info.dtype()));
        ActivationShard shard =
            shard(file, info.name(), info.dtype().name(), info.shape(), next, where);
        shards.add(shard);
        next = shard.endRow();
      }
    }
    return shards;
  }

  private ActivationShard readNpy(Path file, long firstRow) throws IOException {
    try (NpyFile npy = NpyFile.open(file)) {
      String where = where(file, "");
      String type = npy.descr().substring(1);
      boolean twoBytes = type.endsWith("2");
      boolean isRead =
          options
              .bits()
              .map(bits -> type.equals("f2") ? bits == HalfType.FLOAT16 : twoBytes)
              .orElse(type.startsWith("f"));
      requireFloats(where, npy.descr(), isRead, twoBytes);
      return shard(file, "", npy.descr(), npy.shape(), firstRow, where);
    }
  }

  private boolean isRead(Dtype dtype) {
    return options
        .bits()
        .map(
            bits -> is16Bits(dtype) || dtype == (bits == HalfType.FLOAT16 ? Dtype.F16 : Dtype.BF16))
        .orElse(FLOATS.contains(dtype));
  }

  private static boolean is16Bits(Dtype dtype) {
    return dtype == Dtype.I16 || dtype == Dtype.U16;
  }

  private static String where(Path file, String tensor) {
    return file + (tensor.isEmpty() ? ": the array" : ": tensor \"" + tensor + "\"");
  }

  private List<TensorInfo> tensors(SafetensorsFile file) throws IOException {
    if (options.tensor().isEmpty()) {
      return List.of(only(file));
    }
    String name = options.tensor().get();
    Optional<TensorInfo> exact = file.find(name);
    if (exact.isPresent()) {
      return List.of(exact.get());
    }
    List<TensorInfo> matching = List.of();
    if (TensorPattern.isPattern(name)) {
      Pattern pattern = TensorPattern.compile(name);
      matching =
          file.tensors().stream()
              .filter(info -> pattern.matcher(info.name()).matches())
              .sorted(Comparator.comparing(TensorInfo::name, NaturalOrder.INSTANCE))
              .toList();
    }
    if (matching.isEmpty()) {
      throw new ActivationException(
          "%s: has no tensor \"%s\"; it has %s".formatted(file.path(), name, describe(file)));
    }
    return matching;
  }

  private TensorInfo only(SafetensorsFile file) throws IOException {
    List<TensorInfo> fitting = fitting(file, this::isRead);
    if (fitting.isEmpty()) {
      fitting = fitting(file, FLOATS::contains); // What was said of their type is refused later.
    }
    if (fitting.size() != 1) {
      throw new ActivationException(
          ("%s: expected one floating tensor of shape %s, found %d; name the tensor that holds the"
                  + " activations, or several with a pattern such as 'p*'. The file has %s")
              .formatted(file.path(), expectedShape(), fitting.size(), describe(file)));
    }
    return fitting.get(0);
  }

  /** One vector is looked at only where there is no matrix: a file may hold a mean, too. */
  private List<TensorInfo> fitting(SafetensorsFile file, Predicate<Dtype> isRead) {
    List<TensorInfo> all =
        file.tensors().stream()
            .filter(info -> isRead.test(info.dtype()) && rowAxes(info.shape()) > 0)
            .toList();
    List<TensorInfo> matrices = all.stream().filter(info -> info.shape().length >= 2).toList();
    return matrices.isEmpty() ? all : matrices;
  }

  private static String describe(SafetensorsFile file) {
    List<TensorInfo> tensors = file.tensors();
    String listed =
        tensors.stream()
            .limit(MAX_LISTED)
            .map(t -> t.name() + " " + t.dtype() + Arrays.toString(t.shape()))
            .collect(Collectors.joining(", "));
    int more = tensors.size() - MAX_LISTED;
    return tensors.isEmpty() ? "no tensors" : more > 0 ? listed + " and " + more + " more" : listed;
  }

  private void requireFloats(String where, String dtype, boolean isRead, boolean isTwoBytes)
      throws ActivationException {
    if (isRead) {
      return;
    }
    if (options.bits().isPresent()) {
      throw new ActivationException(
          ("%s has dtype %s, but its elements were said to be two-byte floating values (--as)"
                  + " of type %s; the file tells its type, so leave --as out")
              .formatted(where, dtype, options.bits().get().name().toLowerCase(Locale.ROOT)));
    }
    throw new ActivationException(
        "%s has dtype %s, expected float16, bfloat16, float32 or float64 activations"
                .formatted(where, dtype)
            + (isTwoBytes
                ? "; if these two-byte values are the bits of bfloat16, say so (--as bfloat16), or"
                    + " save them as safetensors from PyTorch"
                : ""));
  }

  private ActivationShard shard(
      Path file, String name, String dtype, long[] shape, long firstRow, String where)
      throws IOException {
    int axes = rowAxes(shape);
    if (axes == 0) {
      throw new ActivationException(
          "%s has shape %s, expected %s; %s"
              .formatted(where, Arrays.toString(shape), expectedShape(), advice(shape)));
    }
    long[] leading = Arrays.copyOf(shape, shape.length - axes);
    long width = Arrays.stream(shape, leading.length, shape.length).reduce(1, (a, b) -> a * b);
    boolean empty = Arrays.stream(leading).anyMatch(dimension -> dimension == 0);
    long rows = empty ? 0 : Arrays.stream(leading).reduce(1, Math::multiplyExact);
    List<Long> joined = new ArrayList<>(Arrays.stream(leading).boxed().toList());
    joined.add(width);
    BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
    return new ActivationShard(
        file,
        name,
        dtype,
        options.bits(),
        joined,
        rows,
        firstRow,
        attributes.size(),
        attributes.lastModifiedTime());
  }

  /** How many of the last dimensions make a row: 1, 2 for joined heads, 0 if they do not fit. */
  private int rowAxes(long[] shape) {
    int rank = shape.length;
    if (rank == 0) {
      return 0;
    }
    long last = shape[rank - 1];
    if (options.dIn().isEmpty()) {
      return rank >= 2 && last > 0 && last <= MAX_D_IN ? 1 : 0;
    }
    long dIn = options.dIn().getAsInt();
    if (last == dIn && !(options.joinsHeads() && rank >= 2 && shape[rank - 2] == 1)) {
      return 1;
    }
    return options.joinsHeads() && rank >= 2 && isProduct(last, shape[rank - 2], dIn) ? 2 : 0;
  }

  private static boolean isProduct(long a, long b, long product) {
    return a > 0 && product % a == 0 && product / a == b;
  }

  private String advice(long[] shape) {
    int rank = shape.length;
    if (rank == 1 && options.dIn().isEmpty()) {
      return "the array has one axis: reshape one vector to [1, d_in]";
    }
    if (options.dIn().isPresent() && rank >= 2) {
      long dIn = options.dIn().getAsInt();
      if (isProduct(shape[rank - 1], shape[rank - 2], dIn)) {
        return "its last two dimensions multiply to d_in: reshape it to [..., " + dIn + "]";
      }
      if (shape[rank - 2] == dIn) {
        return "its axes seem to be swapped: save a row for each token";
      }
    }
    return "check that the activations come from the hook point of this SAE";
  }

  private String expectedShape() {
    return "[..., d_in]"
        + (options.dIn().isPresent() ? " = [..., " + options.dIn().getAsInt() + "]" : "");
  }
}
