package io.matryoshka.sae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.internal.kernel.ScreeningStats;
import io.matryoshka.sae.internal.model.Engines;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Compares the fast engine with the formula {@code z = (x - b_dec) W_enc + b_enc} through dense
 * products, over any number of activations, and with the reference engine on some of them. For SAEs
 * with thresholds that take {@code b_dec} off their input and normalise nothing.
 */
final class Agreement implements AutoCloseable {

  /** Pre-activations this close to their threshold may fall on either side. */
  static final float BAND = 1e-5f;

  /** One block in so many also goes through the reference engine. */
  private static final int REFERENCE_EVERY = 8;

  private final SAE fast;
  private final SAE reference;
  private final NDManager manager = Engines.newManager(LoadOptions.defaults().device());
  private final NDArray wEnc;
  private final NDArray bEnc;
  private final NDArray bDec;
  private final float[] threshold;

  private int blocks;
  private long tokens;
  private long active;
  private long inBand;
  private long differInBand;
  private long differBeyond;
  private long differFromReferenceEngine;
  private double largestDifference;

  Agreement(Path folder, SAE fast) throws IOException {
    this.fast = fast;
    reference = SAE.load(folder, LoadOptions.defaults().engine(LoadOptions.Engine.REFERENCE));
    try (SafetensorsFile file = SafetensorsFile.open(folder.resolve("sae_weights.safetensors"))) {
      wEnc = manager.create(file.map("W_enc").asFloatBuffer(), new Shape(fast.dIn(), fast.dSae()));
      bEnc = manager.create(file.readFloats("b_enc"));
      bDec = manager.create(file.readFloats("b_dec"));
      threshold = file.readFloats("threshold");
    }
  }

  /** Encodes {@code [rows, d_in]} activations both ways and counts where they differ. */
  void add(float[] x, int rows) {
    SparseLatents found = fast.encodeSparse(x);
    int[] offsets = found.rowOffsets();
    int[] latents = found.latents();
    float[] values = found.activations();
    float[] z = preActivations(x, rows);
    int width = threshold.length;
    for (int row = 0; row < rows; row++) {
      int entry = offsets[row];
      for (int j = 0; j < width; j++) {
        boolean isFast = entry < offsets[row + 1] && latents[entry] == j;
        compare(z[row * width + j], threshold[j], isFast, isFast ? values[entry++] : 0);
      }
    }
    if (blocks++ % REFERENCE_EVERY == 0) {
      compareWithReferenceEngine(x, z);
    }
    tokens += rows;
  }

  private void compare(float z, float limit, boolean isFast, float value) {
    boolean isActive = z > Math.max(limit, 0);
    boolean near = Math.abs(z - limit) <= BAND;
    inBand += near ? 1 : 0;
    active += isActive ? 1 : 0;
    if (isActive != isFast) {
      differInBand += near ? 1 : 0;
      differBeyond += near ? 0 : 1;
    } else if (isActive) {
      largestDifference = Math.max(largestDifference, Math.abs((double) z - value));
    }
  }

  private float[] preActivations(float[] x, int rows) {
    try (NDManager scope = manager.newSubManager()) {
      NDArray input = scope.create(x, new Shape(rows, fast.dIn()));
      return input.sub(bDec).matMul(wEnc).addi(bEnc).toFloatArray();
    }
  }

  /** The same z must give the same latents in the reference engine; only products are repeated. */
  private void compareWithReferenceEngine(float[] x, float[] z) {
    SparseLatents found = reference.encodeSparse(x);
    int[] offsets = found.rowOffsets();
    int[] latents = found.latents();
    int width = threshold.length;
    int entry = 0;
    for (int at = 0; at < z.length; at++) {
      float limit = threshold[at % width];
      boolean isActive = z[at] > Math.max(limit, 0);
      boolean isReference = entry < offsets[at / width + 1] && latents[entry] == at % width;
      if (isActive != isReference && Math.abs(z[at] - limit) > BAND) {
        differFromReferenceEngine++;
      }
      entry += isReference ? 1 : 0;
    }
  }

  float[] bDec() {
    return bDec.toFloatArray();
  }

  float[] threshold() {
    return threshold.clone();
  }

  /** Latents beyond the band that are active in one way of computing and not in the other. */
  long differBeyond() {
    return differBeyond + differFromReferenceEngine;
  }

  long inBand() {
    return inBand;
  }

  long active() {
    return active;
  }

  double largestDifference() {
    return largestDifference;
  }

  @Override
  public String toString() {
    ScreeningStats stats = fast.screeningStats();
    return String.format(
        Locale.ROOT,
        "%d -> %d: %d tokens, %d active latents (%.1f a token), %d of %d pre-activations were"
            + " candidates, %d rows dense; within %.0e of the threshold: %d, of them %d differ;"
            + " beyond: %d differ (reference engine: %d); largest difference of values %.2e",
        fast.dIn(),
        fast.dSae(),
        tokens,
        active,
        (double) active / tokens,
        stats.candidates(),
        stats.screened(),
        stats.fallbackRows(),
        BAND,
        inBand,
        differInBand,
        differBeyond,
        differFromReferenceEngine,
        largestDifference);
  }

  @Override
  public void close() {
    reference.close();
    manager.close();
  }
}
