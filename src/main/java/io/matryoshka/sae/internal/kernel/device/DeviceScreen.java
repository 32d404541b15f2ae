package io.matryoshka.sae.internal.kernel.device;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.internal.kernel.ScreeningCounters;
import io.matryoshka.sae.internal.kernel.Tuning;
import io.matryoshka.sae.internal.kernel.torch.TorchKernels;
import io.matryoshka.sae.internal.kernel.torch.TorchMethod;
import java.util.Optional;

/** Calls the kernels of {@link DeviceEngine} block after block, and counts what they did. */
final class DeviceScreen {

  /** Covers the rounding of sums with a floor. */
  private static final double FLOOR_SLACK = 1 - 0x1p-18;

  private final DeviceEncoderRows encoder;
  private final TorchKernels kernels;
  private final long int8From;
  private final ScreeningCounters counters;

  /**
   * Prepares calls over an encoder.
   *
   * @param int8From multiplications from which a block is screened with int8 products; float32
   *     products screen smaller ones
   * @param counters take what is found
   */
  DeviceScreen(
      DeviceEncoderRows encoder, TorchKernels kernels, long int8From, ScreeningCounters counters) {
    this.encoder = encoder;
    this.kernels = kernels;
    this.int8From = int8From;
    this.counters = counters;
  }

  /**
   * Active latents, row after row.
   *
   * @param keys {@code [nnz]} int64, {@code row * width + latent}, rising
   * @param values {@code [nnz]} float32
   */
  record Entries(NDArray keys, NDArray values) {
    Entries(NDList list) {
      this(list.get(0), list.get(1));
    }
  }

  static Entries none(NDManager scope) {
    Shape empty = new Shape(0);
    return new Entries(scope.create(empty, DataType.INT64), scope.create(empty, DataType.FLOAT32));
  }

  /** The methods that screen with one kind of product. */
  private enum Ways {
    INT8(
        TorchMethod.INT8_CANDIDATES,
        TorchMethod.INT8_TOP_CANDIDATES,
        TorchMethod.INT8_LOWER_BOUNDS,
        TorchMethod.INT8_ENTRIES),
    FLOAT32(
        TorchMethod.FLOAT32_CANDIDATES,
        TorchMethod.FLOAT32_TOP_CANDIDATES,
        TorchMethod.FLOAT32_LOWER_BOUNDS,
        TorchMethod.FLOAT32_ENTRIES);

    final TorchMethod candidates;
    final TorchMethod topCandidates;
    final TorchMethod lowerBounds;
    final TorchMethod entries;

    Ways(
        TorchMethod candidates,
        TorchMethod topCandidates,
        TorchMethod lowerBounds,
        TorchMethod entries) {
      this.candidates = candidates;
      this.topCandidates = topCandidates;
      this.lowerBounds = lowerBounds;
      this.entries = entries;
    }

    static Ways of(boolean int8) {
      return int8 ? INT8 : FLOAT32;
    }
  }

  /** Tells whether a call is screened with float32 products, in one block. */
  boolean isSmall(int rows, int width) {
    return !usesInt8(rows, width) && rows <= blockRows(width);
  }

  /** Encodes a row of zeros at full width with int8 products, uncounted. */
  void tryOut(DeviceLatentTerms limits, NDArray floor) {
    Shape shape = encoder.rows().getShape();
    try (NDManager scope = encoder.rows().getManager().newSubManager();
        NDManager host = scope.newSubManager(Device.cpu())) {
      NDArray x = scope.zeros(new Shape(1, shape.get(1)));
      NDArray width = host.create(shape.get(0));
      NDArray found = candidates(x, new Wanted(width, Optional.empty(), floor, limits), true);
      exactEntries(x, width, found, limits, true);
    }
  }

  /**
   * What is looked for in a block.
   *
   * @param width number of leading latents
   * @param topK number of latents of a row, for a top-k rule
   * @param floor what all activations reach, for a threshold or batch rule
   * @param limits what each latent must exceed
   */
  private record Wanted(
      NDArray width, Optional<NDArray> topK, NDArray floor, DeviceLatentTerms limits) {}

  /**
   * Finds what exceeds its limit and can be in the selection, block after block.
   *
   * @param topK latents of a row; 0 for all
   */
  Entries survivors(
      NDArray rows,
      int width,
      int topK,
      DeviceLatentTerms limits,
      NDArray floor,
      NDManager scope,
      NDManager host) {
    int n = Math.toIntExact(rows.getShape().get(0));
    int blockRows = blockRows(width);
    Optional<NDArray> k =
        topK == 0 ? Optional.empty() : Optional.of(host.create((long) Math.min(topK, width)));
    Wanted wanted = new Wanted(host.create((long) width), k, floor, limits);
    NDList keys = new NDList();
    NDList values = new NDList();
    for (int begin = 0; begin < n; begin += blockRows) {
      try (NDManager blockScope = scope.newSubManager()) {
        NDArray x = block(rows, begin, Math.min(n, begin + blockRows), blockScope);
        Entries found = encodeBlock(x, width, wanted);
        NDArray all = begin == 0 ? found.keys() : found.keys().add((long) begin * width);
        keys.add(kept(all, scope));
        values.add(kept(found.values(), scope));
      }
    }
    return new Entries(joined(keys), joined(values));
  }

  private Entries encodeBlock(NDArray x, int width, Wanted wanted) {
    long n = x.getShape().get(0);
    boolean int8 = usesInt8(n, width);
    NDArray found = candidates(x, wanted, int8);
    boolean dense = found.size() * Tuning.DEVICE_DENSE_SHARE > n * width;
    counters.addBlock(n * width, found.size(), dense ? n : 0);
    if (dense) {
      return denseEntries(x, wanted);
    }
    return exactEntries(x, wanted.width(), found, wanted.limits(), int8);
  }

  /** Keys of what may be active. */
  private NDArray candidates(NDArray x, Wanted wanted, boolean int8) {
    DeviceLatentTerms limits = wanted.limits();
    NDList arguments = new NDList(x, wanted.width(), wanted.topK().orElse(wanted.floor()));
    arguments.addAll(encoder.screened(int8));
    arguments.add(limits.high());
    wanted.topK().ifPresent(k -> arguments.add(limits.low()));
    Ways ways = Ways.of(int8);
    TorchMethod method = wanted.topK().isPresent() ? ways.topCandidates : ways.candidates;
    return kernels.call(method, arguments.toArray(new NDArray[0]));
  }

  private Entries exactEntries(
      NDArray x, NDArray width, NDArray found, DeviceLatentTerms limits, boolean int8) {
    TorchMethod method = limits.gated() ? TorchMethod.GATED_ENTRIES : Ways.of(int8).entries;
    return new Entries(kernels.callAll(method, x, width, found, encoder.rows(), limits.terms()));
  }

  private Entries denseEntries(NDArray x, Wanted wanted) {
    TorchMethod ofThreshold =
        wanted.limits().gated() ? TorchMethod.GATED_DENSE_ENTRIES : TorchMethod.DENSE_ENTRIES;
    return new Entries(
        kernels.callAll(
            wanted.topK().isPresent() ? TorchMethod.DENSE_TOP_ENTRIES : ofThreshold,
            x,
            wanted.width(),
            wanted.topK().orElse(wanted.floor()),
            encoder.rows(),
            wanted.limits().terms()));
  }

  /**
   * Finds a number that at least {@code count} activations of the batch reach.
   *
   * @return {@code [1]}, slightly lowered, or empty where so many cannot be told
   */
  Optional<NDArray> lowerBound(
      NDArray rows,
      int width,
      long count,
      DeviceLatentTerms limits,
      NDManager scope,
      NDManager host) {
    int n = Math.toIntExact(rows.getShape().get(0));
    int blockRows = blockRows(width);
    NDArray latents = host.create((long) width);
    NDArray wanted = host.create(count);
    NDArray kept = scope.create(new Shape(0), DataType.FLOAT32);
    for (int begin = 0; begin < n; begin += blockRows) {
      try (NDManager blockScope = scope.newSubManager()) {
        NDArray x = block(rows, begin, Math.min(n, begin + blockRows), blockScope);
        boolean int8 = usesInt8(x.getShape().get(0), width);
        NDArray before = kept;
        NDList arguments = new NDList(x, latents, wanted, before);
        arguments.addAll(encoder.screened(int8));
        arguments.add(limits.low());
        kept = kernels.call(Ways.of(int8).lowerBounds, arguments.toArray(new NDArray[0]));
        kept.attach(scope);
        before.close();
      }
    }
    return kept.size() < count
        ? Optional.empty()
        : Optional.of(kept.min().mul(FLOOR_SLACK).reshape(1));
  }

  private boolean usesInt8(long rows, int width) {
    return rows * width * encoder.rows().getShape().get(1) >= int8From;
  }

  private static int blockRows(int width) {
    return Math.max(
        Tuning.MIN_DEVICE_ROWS,
        Math.min(Tuning.MAX_DEVICE_ROWS, Tuning.DEVICE_BLOCK_ELEMENTS / width));
  }

  private static NDArray block(NDArray rows, int begin, int end, NDManager scope) {
    return kept(rows.get(new NDIndex(begin + ":" + end)), scope);
  }

  private static NDArray kept(NDArray array, NDManager scope) {
    array.attach(scope);
    return array;
  }

  private static NDArray joined(NDList parts) {
    return parts.size() == 1 ? parts.get(0) : NDArrays.concat(parts);
  }

  long bytes() {
    return encoder.bytes();
  }
}
