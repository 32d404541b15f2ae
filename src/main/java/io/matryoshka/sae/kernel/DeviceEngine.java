package io.matryoshka.sae.kernel;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The fast encoder on an accelerator: screens all latents with an int8 product and a rigorous
 * bound, then computes the survivors in float32, all on the device. Nothing but sizes comes back to
 * Java. It runs on any device whose libtorch has the operations; docs/performance.md derives the
 * bound.
 *
 * <p>Rows are worked off in blocks of at most {@value #BLOCK_ELEMENTS} pre-activations. Beside the
 * result a call holds about 16 bytes of device memory for each pre-activation of a block and 60
 * bytes for each of its activations; top-k rules hold twice the former.
 */
public final class DeviceEngine implements EncodeEngine {

  private static final int BLOCK_ELEMENTS = 1 << 24;
  private static final int FEWEST_ROWS = 32;
  private static final int MOST_ROWS = 4096;

  /** Makes up for the rounding of sums with a floor. */
  private static final double FLOOR_SLACK = 1 - 0x1p-18;

  private final DeviceEncoder encoder;
  private final DeviceLimits thresholds;
  private final DeviceLimits zeros;
  private final NDArray noFloor;
  private final TorchKernels kernels;
  private final AtomicLong screened = new AtomicLong();
  private final AtomicLong candidates = new AtomicLong();
  private final AtomicLong active = new AtomicLong();
  private final AtomicLong denseRows = new AtomicLong();

  /** Rows, latents and values of entries, row after row. */
  private record Entries(NDArray rows, NDArray latents, NDArray values) {
    Entries(NDList list) {
      this(list.get(0), list.get(1), list.get(2));
    }
  }

  /**
   * Makes the engine on the device of the weights. The codes take a quarter of the memory of the
   * rows.
   *
   * @param rows {@code [d_sae, d_in]} float32, see {@link #encoderRows}
   * @param bias {@code [d_sae]} float32
   * @param scale {@code [d_sae]} float32, factor on pre-activations
   * @param threshold {@code [d_sae]} thresholds, zeros where there are none
   */
  public DeviceEngine(NDArray rows, NDArray bias, NDArray scale, float[] threshold) {
    NDManager manager = rows.getManager();
    int dIn = Math.toIntExact(rows.getShape().get(1));
    float[] biases = bias.toFloatArray();
    float[] scales = scale.toFloatArray();
    Rule topK = new Rule(Rule.Kind.TOP_K, 1);
    kernels = TorchKernels.on(rows.getDevice());
    encoder = DeviceEncoder.of(rows, bias, scale, kernels);
    thresholds = DeviceLimits.of(Rule.THRESHOLD, biases, scales, threshold, dIn, manager);
    zeros = DeviceLimits.of(topK, biases, scales, threshold, dIn, manager);
    noFloor = manager.create(new float[1]);
  }

  /**
   * Tells whether the libtorch of a device computes there what the engine needs, as a trial shows.
   *
   * @param device the device of the weights
   * @return false where the plain engine must serve
   */
  public static boolean runsOn(Device device) {
    return DeviceSupport.isGiven(device);
  }

  /**
   * Lays an encoder out latent after latent. Its transpose is a view that serves as {@code W_enc},
   * so the original can be closed.
   *
   * @param wEnc {@code [d_in, d_sae]}
   * @return {@code [d_sae, d_in]}, contiguous, on the manager of {@code wEnc}
   */
  public static NDArray encoderRows(NDArray wEnc) {
    return TorchKernels.on(wEnc.getDevice()).call("encoder_rows", wEnc);
  }

  @Override
  public Csr encode(NDArray rows, int width, Rule rule) {
    try (NDManager scope = rows.getManager().newSubManager()) {
      return encodeOnDevice(rows, width, rule, scope).toHost();
    }
  }

  @Override
  public DeviceCsr encodeOnDevice(NDArray rows, int width, Rule rule, NDManager owner) {
    int n = Math.toIntExact(rows.getShape().get(0));
    try (NDManager scope = rows.getManager().newSubManager(rows.getDevice());
        NDManager host = scope.newSubManager(Device.cpu())) {
      Entries found = n == 0 ? none(scope) : entries(rows, width, rule, scope, host);
      NDArray count = host.create((long) n);
      DeviceCsr csr =
          new DeviceCsr(kernels.call("starts", found.rows, count), found.latents, found.values);
      csr.attach(owner);
      active.addAndGet(found.values.size());
      return csr;
    }
  }

  private Entries entries(NDArray rows, int width, Rule rule, NDManager scope, NDManager host) {
    long n = rows.getShape().get(0);
    Entries all =
        switch (rule.kind()) {
          case THRESHOLD -> screen(rows, width, 0, thresholds, noFloor, scope, host);
          case TOP_K -> screen(rows, width, rule.k(), zeros, noFloor, scope, host);
          case BATCH_TOP_K -> {
            NDArray floor = batchFloor(rows, width, rule.k() * n, scope, host);
            yield screen(rows, width, 0, zeros, floor, scope, host);
          }
        };
    return switch (rule.kind()) {
      case THRESHOLD -> all;
      case TOP_K -> keep("keep_of_rows", all, rule.k(), host);
      case BATCH_TOP_K -> keep("keep_of_batch", all, rule.k() * n, host);
    };
  }

  private Entries keep(String method, Entries all, long count, NDManager host) {
    return new Entries(
        kernels.callAll(method, all.rows, all.latents, all.values, host.create(count)));
  }

  private static Entries none(NDManager scope) {
    Shape empty = new Shape(0);
    return new Entries(
        scope.create(empty, DataType.INT64),
        scope.create(empty, DataType.INT64),
        scope.create(empty, DataType.FLOAT32));
  }

  /** Finds what exceeds its limit and can be in the selection, block after block. */
  private Entries screen(
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
    NDList entryRows = new NDList();
    NDList entryLatents = new NDList();
    NDList values = new NDList();
    for (int begin = 0; begin < n; begin += blockRows) {
      try (NDManager blockScope = scope.newSubManager()) {
        NDArray x = block(rows, begin, Math.min(n, begin + blockRows), blockScope);
        NDList found = encodeBlock(x, latents, k, floor, limits);
        entryRows.add(kept(begin == 0 ? found.get(0) : found.get(0).add(begin), scope));
        entryLatents.add(kept(found.get(1), scope));
        values.add(kept(found.get(2), scope));
        screened.addAndGet(x.getShape().get(0) * width);
        candidates.addAndGet(found.get(3).getLong());
        denseRows.addAndGet(found.get(4).getLong());
      }
    }
    return new Entries(joined(entryRows), joined(entryLatents), joined(values));
  }

  private NDList encodeBlock(
      NDArray x, NDArray width, NDArray k, NDArray floor, DeviceLimits limits) {
    return kernels.callAll(
        "encode_block",
        x,
        width,
        k,
        floor,
        encoder.rows(),
        encoder.codes(),
        encoder.step(),
        encoder.norms(),
        encoder.scale(),
        encoder.bias(),
        limits.limit(),
        limits.high(),
        limits.low());
  }

  /** A lower bound of the smallest activation among the {@code count} largest of the batch. */
  private NDArray batchFloor(NDArray rows, int width, long count, NDManager scope, NDManager host) {
    int n = Math.toIntExact(rows.getShape().get(0));
    int blockRows = blockRows(width);
    NDArray latents = host.create((long) width);
    NDArray wanted = host.create(count);
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
                before,
                encoder.rows(),
                encoder.codes(),
                encoder.step(),
                encoder.norms(),
                encoder.scale(),
                zeros.low());
        kept.attach(scope);
        before.close();
      }
    }
    return kept.size() < count ? noFloor : kept.min().mul(FLOOR_SLACK).reshape(1);
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

  /**
   * Returns what the engine holds beside the encoder rows.
   *
   * @return bytes of device memory
   */
  public long preparedBytes() {
    return encoder.bytes();
  }

  @Override
  public ScreeningStats stats() {
    return new ScreeningStats(screened.get(), candidates.get(), active.get(), denseRows.get());
  }
}
