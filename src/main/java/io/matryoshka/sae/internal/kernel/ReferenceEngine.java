package io.matryoshka.sae.internal.kernel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.Activation;
import io.matryoshka.sae.config.LatentParameters;
import java.util.Arrays;

/**
 * The plain encoder: all latents through the tensor library's own operations, on any device and in
 * the dtype of its weights. It is the reference that the fast engines are tested against.
 */
public final class ReferenceEngine implements EncodeEngine {

  /** Rows per dense block: bounds the pre-activations in memory to 256 rows. */
  private static final int BLOCK_ROWS = 256;

  private final NDArray wEnc;
  private final LatentParameters parameters;
  private final Terms test;
  private final Terms value;

  /** Bias and factor of all latents, {@code [d_sae]} of the type of the weights. */
  private record Terms(NDArray bias, NDArray scale) {

    static Terms of(double[] bias, double[] scale, NDArray wEnc) {
      DataType type = wEnc.getDataType();
      NDManager owner = wEnc.getManager();
      return new Terms(
          owner.create(bias).toType(type, false), owner.create(scale).toType(type, false));
    }

    /** {@code (dots + bias) * scale} in place of the dot products of the first latents. */
    NDArray applyTo(NDArray dots, NDManager scope) {
      NDIndex part = new NDIndex(":" + dots.getShape().get(1));
      NDArray biases = bias.get(part);
      biases.attach(scope);
      NDArray scales = scale.get(part);
      scales.attach(scope);
      return dots.addi(biases).muli(scales);
    }
  }

  /**
   * Makes the engine over an array that the caller owns.
   *
   * @param wEnc {@code [d_in, d_sae]} encoder weights, whose manager will own small copies of the
   *     parameters
   * @param parameters decide which latents are active
   */
  public ReferenceEngine(NDArray wEnc, LatentParameters parameters) {
    this.wEnc = wEnc;
    this.parameters = parameters;
    test = Terms.of(parameters.testBias(), parameters.testScale(), wEnc);
    value =
        parameters.isGated()
            ? Terms.of(parameters.valueBias(), parameters.valueScale(), wEnc)
            : test;
  }

  /**
   * Computes dense latents by the threshold rule: {@code relu(value) * (test > threshold)}.
   *
   * @param rows {@code [n, d_in]} prepared activations
   * @param width number of leading latents
   * @param scope owns the result and the temporaries
   * @return {@code [n, width]} of the type of the weights
   */
  public NDArray latents(NDArray rows, int width, NDManager scope) {
    NDArray dots = dots(rows, width, scope);
    NDArray values = parameters.isGated() ? value.applyTo(dots.duplicate(), scope) : dots;
    NDArray tested = test.applyTo(dots, scope);
    NDArray limit = scope.create(Arrays.copyOf(parameters.threshold(), width));
    NDArray passes = tested.gt(limit.toType(tested.getDataType(), false));
    return Activation.relu(values).mul(passes.toType(values.getDataType(), false));
  }

  private NDArray dots(NDArray rows, int width, NDManager scope) {
    NDArray weights = wEnc.get(new NDIndex(":, :" + width));
    weights.attach(scope);
    NDArray dots = rows.matMul(weights);
    dots.attach(scope);
    return dots;
  }

  @Override
  public Csr encode(NDArray rows, int width, SelectionRule rule) {
    boolean byThreshold = rule.kind() == SelectionRule.Kind.THRESHOLD;
    float[] limits = ActivationTest.of(parameters, rule).limit;
    int n = Math.toIntExact(rows.getShape().get(0));
    CsrBuilder out = new CsrBuilder(n);
    for (int begin = 0; begin < n; begin += BLOCK_ROWS) {
      int end = Math.min(n, begin + BLOCK_ROWS);
      try (NDManager scope = rows.getManager().newSubManager()) {
        NDArray block = rows.get(new NDIndex(begin + ":" + end));
        block.attach(scope);
        NDArray dots = dots(block, width, scope);
        boolean gated = byThreshold && parameters.isGated();
        Terms tested = byThreshold ? test : value;
        float[] values = gated ? floats(value.applyTo(dots.duplicate(), scope)) : new float[0];
        append(floats(tested.applyTo(dots, scope)), values, width, limits, out);
      }
    }
    return Selector.select(out.build(), rule);
  }

  /**
   * Appends what passes.
   *
   * @param tested {@code [rows, width]}
   * @param values {@code [rows, width]}, or empty where they are the tested numbers
   */
  private static void append(
      float[] tested, float[] values, int width, float[] limits, CsrBuilder out) {
    for (int base = 0; base < tested.length; base += width) {
      for (int latent = 0; latent < width; latent++) {
        float z = tested[base + latent];
        if (EffectiveThresholds.passes(z, limits[latent])) {
          float activation = values.length == 0 ? z : values[base + latent];
          if (EffectiveThresholds.passes(activation, 0f)) {
            out.add(latent, activation);
          }
        }
      }
      out.endRow();
    }
  }

  private static float[] floats(NDArray array) {
    return array.toType(DataType.FLOAT32, false).toFloatArray();
  }

  @Override
  public String description() {
    return "reference engine";
  }
}
