package io.matryoshka.sae.stream;

import io.matryoshka.sae.npy.HalfType;
import io.matryoshka.sae.npy.NpyFile;
import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import io.matryoshka.sae.safetensors.TensorInfo;
import io.matryoshka.sae.store.ByteSource;
import io.matryoshka.sae.store.FileStamp;
import io.matryoshka.sae.store.StoredFile;
import java.io.IOException;
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

  private static final String ASK_FOR_BITS =
      "if two-byte values are the bits of bfloat16, say so (--as bfloat16), or save them as"
          + " safetensors from PyTorch";

  private static final int MAX_LISTED = 20;

  /** Headers of a distant store take their time in waiting, not in work. */
  private static final int MAX_THREADS = 32;

  private final SourceOptions options;

  ShardHeaders(SourceOptions options) {
    this.options = options;
  }

  /** Reads the headers of all files, several at a time; the first fault in their order counts. */
  List<ActivationShard> readAll(List<? extends StoredFile> files) throws IOException {
    int threads = Math.min(MAX_THREADS, files.size());
    try (BackgroundTasks<List<ActivationShard>> reading =
        new BackgroundTasks<>("matryoshka-headers", threads)) {
      for (StoredFile file : files) {
        reading.submit(() -> read(file));
      }
      List<ActivationShard> shards = new ArrayList<>(files.size());
      while (reading.pending() > 0) {
        shards.addAll(reading.take());
      }
      return shards;
    }
  }

  /**
   * Reads a file's header; the shards are its tensors, in the order of their rows. The first row of
   * the file is counted as row 0.
   */
  List<ActivationShard> read(StoredFile file) throws IOException {
    FileStamp stamp = file.stamp();
    ByteSource source = file.open();
    boolean isNpy;
    try {
      isNpy = InputFiles.isNpy(source);
    } catch (Throwable e) {
      source.close();
      throw e;
    }
    return isNpy ? List.of(readNpy(file, source, stamp)) : readSafetensors(file, source, stamp);
  }

  private List<ActivationShard> readSafetensors(StoredFile file, ByteSource source, FileStamp stamp)
      throws IOException {
    List<ActivationShard> shards = new ArrayList<>();
    try (SafetensorsFile safetensors = SafetensorsFile.open(source)) {
      long next = 0;
      for (TensorInfo info : tensors(safetensors)) {
        String dtype = info.dtype().name();
        String where = where(file, info.name());
        requireFloats(where, dtype, isRead(info.dtype()), is16Bits(info.dtype()));
        ActivationShard shard = shard(file, stamp, info.name(), dtype, info.shape(), where);
        shards.add(shard.at(next));
        next += shard.rows();
      }
    }
    return shards;
  }

  private ActivationShard readNpy(StoredFile file, ByteSource source, FileStamp stamp)
      throws IOException {
    try (NpyFile npy = NpyFile.open(source)) {
      String where = where(file, "");
      String type = npy.descr().substring(1);
      boolean twoBytes = type.endsWith("2");
      boolean isRead =
          options
              .bits()
              .map(bits -> type.equals("f2") ? bits == HalfType.FLOAT16 : twoBytes)
              .orElse(type.startsWith("f"));
      requireFloats(where, npy.descr(), isRead, twoBytes);
      return shard(file, stamp, "", npy.descr(), npy.shape(), where);
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

  private static String where(StoredFile file, String tensor) {
    return file.name() + (tensor.isEmpty() ? ": the array" : ": tensor \"" + tensor + "\"");
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
          "%s: has no tensor \"%s\"; it has %s".formatted(file.name(), name, describe(file)));
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
                  + " activations, or several with a pattern such as 'p*'. The file has %s%s")
              .formatted(
                  file.name(),
                  expectedShape(),
                  fitting.size(),
                  describe(file),
                  fitting(file, ShardHeaders::is16Bits).isEmpty() ? "" : "; " + ASK_FOR_BITS));
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
            + (isTwoBytes ? "; " + ASK_FOR_BITS : ""));
  }

  private ActivationShard shard(
      StoredFile file, FileStamp stamp, String name, String dtype, long[] shape, String where)
      throws ActivationException {
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
    return new ActivationShard(file, name, dtype, options.bits(), joined, rows, 0, stamp);
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
