package io.matryoshka.sae.kernel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The fast encoder on an accelerator: screens with a bfloat16 product and a rigorous bound, then
 * computes the survivors in float32, all on the device in one TorchScript call a block; only active
 * latents come back. It runs on any device. For top-k rules, whose cut is not known before all
 * pre-activations are, it uses the reference.
 *
 * <p>bfloat16 keeps float32's exponent, so outlier dimensions need no care: with {@code x = bx +
 * ex} and {@code w = bw + ew}, {@code |x . w - bx . bw| <= |ex| |w| + |bx| |ew|}, plus the rounding
 * of the float32 accumulation and of the bfloat16 result.
 */
public final class DeviceEngine implements EncodeEngine {

  private static final int BLOCK_ROWS = 1024;

  private final NDArray rows;
  private final NDArray roundedRows;
  private final NDArray rowNorms;
  private final NDArray residualNorms;
  private final NDArray bias;
  private final NDArray scale;
  private final NDArray limits;
  private final NDArray rounding;
  private final TorchKernels kernels;
  private final ReferenceEngine reference;
  private final AtomicLong screened = new AtomicLong();
  private final AtomicLong candidates = new AtomicLong();
  private final AtomicLong active = new AtomicLong();

  /**
   * Lays the encoder out on the device of its weights: one float32 and one bfloat16 row per latent,
   * one and a half times the size of {@code W_enc} in device memory.
   *
   * @param wEnc {@code [d_in, d_sae]} float32
   * @param bias {@code [d_sae]} float32
   * @param scale {@code [d_sae]} factor on pre-activations
   * @param threshold {@code [d_sae]} thresholds, zeros where there are none
   * @param reference serves the rules that this engine does not screen
   */
  public DeviceEngine(
      NDArray wEnc, NDArray bias, NDArray scale, float[] threshold, ReferenceEngine reference) {
    NDManager manager = wEnc.getManager();
    this.kernels = TorchKernels.on(wEnc.getDevice());
    this.reference = reference;
    this.bias = bias;
    this.scale = scale;
    rows = kernels.call("encoder_rows", wEnc);
    roundedRows = kernels.call("to_bfloat16", rows);
    int dSae = threshold.length;
    rowNorms = rows.norm(new int[] {1}).mul(Rounding.INFLATE + 1e-5).reshape(1, dSae);
    residualNorms =
        kernels
            .call("residual_norm", rows, roundedRows)
            .mul(Rounding.INFLATE + 1e-5)
            .reshape(1, dSae);
    limits = manager.create(Limits.of(Rule.THRESHOLD, threshold));
    double error = Rounding.dotError(Math.toIntExact(rows.getShape().get(1)));
    rounding = manager.create((float) (2 * error));
  }

  @Override
  public Csr encode(NDArray x, int width, Rule rule) {
    if (rule.kind() != Rule.Kind.THRESHOLD) {
      return reference.encode(x, width, rule);
    }
    int n = Math.toIntExact(x.getShape().get(0));
    CsrBuilder out = new CsrBuilder(n);
    for (int begin = 0; begin < n; begin += BLOCK_ROWS) {
      int end = Math.min(n, begin + BLOCK_ROWS);
      try (NDManager scope = x.getManager().newSubManager()) {
        NDArray block = x.get(new NDIndex(begin + ":" + end));
        block.attach(scope);
        append(encodeBlock(block, width, scope), end - begin, out);
        screened.addAndGet((long) (end - begin) * width);
      }
    }
    Csr csr = out.build();
    active.addAndGet(csr.latents().length);
    return csr;
  }

  private NDList encodeBlock(NDArray block, int width, NDManager scope) {
    return kernels.callAll(
        "screened_encode",
        block,
        leading(rows, width, scope),
        leading(roundedRows, width, scope),
        part(rowNorms, ":, :" + width, scope),
        part(residualNorms, ":, :" + width, scope),
        leading(bias, width, scope),
        leading(scale, width, scope),
        leading(limits, width, scope),
        rounding);
  }

  private void append(NDList block, int n, CsrBuilder out) {
    long[] entryRows = block.get(0).toLongArray();
    long[] latents = block.get(1).toLongArray();
    float[] values = block.get(2).toFloatArray();
    candidates.addAndGet(block.get(3).toType(DataType.INT64, false).getLong());
    int entry = 0;
    for (int row = 0; row < n; row++) {
      while (entry < values.length && entryRows[entry] == row) {
        out.add((int) latents[entry], values[entry]);
        entry++;
      }
      out.endRow();
    }
  }

  private static NDArray leading(NDArray array, int width, NDManager scope) {
    return part(array, ":" + width, scope);
  }

  private static NDArray part(NDArray array, String index, NDManager scope) {
    NDArray view = array.get(new NDIndex(index));
    view.attach(scope);
    return view;
  }

  @Override
  public ScreeningStats stats() {
    return new ScreeningStats(screened.get(), candidates.get(), active.get(), 0);
  }
}
