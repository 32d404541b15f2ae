package io.matryoshka.sae.kernel;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/** Calls the kernels of {@link DeviceEngine} block after block, and counts what they did. */
final class DeviceScreen {

  /** Most pre-activations of a block. */
  static final int BLOCK_ELEMENTS = 1 << 26;

  private static final int FEWEST_ROWS = 32;
  private static final int MOST_ROWS = 4096;

  /** Makes up for the rounding of sums with a floor. */
  private static final double FLOOR_SLACK = 1 - 0x1p-18;

  private final DeviceEncoder encoder;
  private final TorchKernels kernels;
  private final long int8From;
  private final AtomicLong screened = new AtomicLong();
  private final AtomicLong candidates = new AtomicLong();
  private final AtomicLong denseRows = new AtomicLong();

  /**
   * Prepares calls over an encoder.
   *
   * @param int8From multiplications from which a block is screened with int8 products; float32
   *     products screen smaller ones
   */
  DeviceScreen(DeviceEncoder encoder, TorchKernels kernels, long int8From) {
    this.encoder = encoder;
    this.kernels = kernels;
    this.int8From = int8From;
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

  /** Tells whether a call is screened with float32 products, in one block. */
  boolean isSmall(int rows, int width) {
    long products = (long) rows * width * encoder.rows().getShape().get(1);
    return products < int8From && rows <= blockRows(width);
  }

  /** Encodes a row of zeros at full width with int8 products, uncounted. */
  void tryOut(DeviceLimits limits, NDArray floor) {
    Shape shape = encoder.rows().getShape();
    try (NDManager scope = encoder.rows().getManager().newSubManager();
        NDManager host = scope.newSubManager(Device.cpu())) {
      NDArray x = scope.zeros(new Shape(1, shape.get(1)));
      NDArray zero = host.create(0L);
      encodeBlock(x, new Scalars(zero, host.create(shape.get(0)), zero, zero), floor, limits);
    }
  }

  /** Numbers that a kernel reads on the host. */
  private record Scalars(NDArray begin, NDArray width, NDArray k, NDArray int8From) {}

  /** Finds what exceeds its limit and can be in the selection, block after block. */
  Entries survivors(
      NDArray rows,
      int width,
      int topK,
      DeviceLimits limits,
      NDArray floor,
      NDManager scope,
      NDManager host) {
    int n = Math.toIntExact(rows.getShape().get(0));
    int blockRows = blockRows(width);
    NDArray latents = host.create((long) width);
    NDArray k = host.create((long) topK);
    NDArray from = host.create(int8From);
    NDList keys = new NDList();
    NDList values = new NDList();
    for (int begin = 0; begin < n; begin += blockRows) {
      try (NDManager blockScope = scope.newSubManager()) {
        NDArray x = block(rows, begin, Math.min(n, begin + blockRows), blockScope);
        Scalars scalars = new Scalars(host.create((long) begin), latents, k, from);
        NDList found = encodeBlock(x, scalars, floor, limits);
        keys.add(kept(found.get(0), scope));
        values.add(kept(found.get(1), scope));
        screened.addAndGet(x.getShape().get(0) * width);
        candidates.addAndGet(found.get(2).getLong());
        denseRows.addAndGet(found.get(3).getLong());
      }
    }
    return new Entries(joined(keys), joined(values));
  }

  private NDList encodeBlock(NDArray x, Scalars scalars, NDArray floor, DeviceLimits limits) {
    return kernels.callAll(
        "encode_block",
        x,
        scalars.begin(),
        scalars.width(),
        scalars.k(),
        scalars.int8From(),
        floor,
        encoder.rows(),
        encoder.codes(),
        encoder.step(),
        encoder.norms(),
        encoder.scale(),
        limits.terms(),
        limits.high(),
        limits.low());
  }

  /**
   * Finds a number that at least {@code count} activations of the batch reach.
   *
   * @return {@code [1]}, slightly lowered, or empty where so many cannot be told
   */
  Optional<NDArray> lowerBound(
      NDArray rows, int width, long count, DeviceLimits limits, NDManager scope, NDManager host) {
    int n = Math.toIntExact(rows.getShape().get(0));
    int blockRows = blockRows(width);
    NDArray latents = host.create((long) width);
    NDArray wanted = host.create(count);
    NDArray from = host.create(int8From);
    NDArray kept = scope.create(new Shape(0), DataType.FLOAT32);
    for (int begin = 0; begin < n; begin += blockRows) {
      try (NDManager blockScope = scope.newSubManager()) {
        NDArray x = block(rows, begin, Math.min(n, begin + blockRows), blockScope);
        NDArray before = kept;
        kept =
            kernels.call(
                "largest_lower_bounds",
                x,
                latents,
                wanted,
                from,
                before,
                encoder.rows(),
                encoder.codes(),
                encoder.step(),
                encoder.norms(),
                encoder.scale(),
                limits.low());
        kept.attach(scope);
        before.close();
      }
    }
    return kept.size() < count
        ? Optional.empty()
        : Optional.of(kept.min().mul(FLOOR_SLACK).reshape(1));
  }

  private static int blockRows(int width) {
    return Math.max(FEWEST_ROWS, Math.min(MOST_ROWS, BLOCK_ELEMENTS / width));
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

  ScreeningStats stats(long active) {
    return new ScreeningStats(screened.get(), candidates.get(), active, denseRows.get());
  }
}
