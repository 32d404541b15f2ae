package io.matryoshka.sae.internal.bench;

import io.matryoshka.sae.internal.kernel.cpu.PreparedEncoder;
import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.safetensors.SafetensorsWriter;
import io.matryoshka.sae.safetensors.TensorInfo;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * A synthetic Matryoshka SAE with the statistics that matter for speed, and activations to go with
 * it.
 *
 * <p>Decoder rows are random unit vectors, the encoder is their transpose, and all latents share
 * one threshold, as BatchTopK leaves it. A token is {@code b_dec} plus about {@value #ACTIVE}
 * active directions, spread over the Matryoshka levels, plus noise, plus a few dimensions that are
 * far larger than the rest, as residual streams have. Everything follows from the seed.
 */
public final class SyntheticSae {

  /** Directions in a token, close to the L0 of the published SAEs. */
  public static final int ACTIVE = 40;

  private static final String CONFIG =
      """
      {"architecture": "jumprelu", "d_in": %d, "d_sae": %d, "dtype": "float32", \
      "apply_b_dec_to_input": true, "normalize_activations": "none", \
      "reshape_activations": "none", "metadata": {"sae_lens_version": "6.18.0", \
      "hook_name": "synthetic", "matryoshka_widths": %s}}
      """;

  private static final int[] WIDTHS = {128, 512, 2048, 8192, 32768};

  /** Share of the active directions in each level. */
  private static final double[] LEVEL_SHARES = {0.2, 0.25, 0.25, 0.15, 0.15};

  /** About 4 deviations of what the others add to a direction, where {@code d_in} is 2304. */
  private static final double THRESHOLD = 0.55;

  private static final int THRESHOLD_D_IN = 2304;

  /** Still below the strength of most directions. */
  private static final double MAX_THRESHOLD = 0.8;

  private static final double NOISE_NORM = 1.5;
  private static final int OUTLIER_DIMENSIONS = 3;
  private static final float OUTLIER_SIZE = 20f;

  /** Latents whose rows one task makes. */
  private static final int CHUNK_LATENTS = 64;

  private final int dIn;
  private final int dSae;
  private final long seed;

  /**
   * Describes an SAE; nothing is made yet.
   *
   * @param dIn the width of a model activation, at least 2
   * @param dSae the number of latents, at least 2
   * @param seed of all random numbers
   * @throws IllegalArgumentException if a number is too small, or {@code W_enc} above 2 GiB
   */
  public SyntheticSae(int dIn, int dSae, long seed) {
    if (dIn < 2 || dSae < 2 || (long) dIn * dSae * Float.BYTES > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "a synthetic SAE must have d_in and d_sae of at least 2 and a W_enc below 2 GiB, got d_in = %d and d_sae = %d"
              .formatted(dIn, dSae));
    }
    this.dIn = dIn;
    this.dSae = dSae;
    this.seed = seed;
  }

  /**
   * Returns the width of a model activation.
   *
   * @return {@code d_in}
   */
  public int dIn() {
    return dIn;
  }

  /**
   * Returns the number of latents.
   *
   * @return {@code d_sae}
   */
  public int dSae() {
    return dSae;
  }

  /**
   * Returns what the folder takes with the data that the fast engine prepares and stores there.
   *
   * @return bytes on disk
   */
  public long diskBytes() {
    long weights = 2L * dIn * dSae + 2L * dSae + dIn;
    return weights * Float.BYTES + PreparedEncoder.bytes(dIn, dSae);
  }

  /**
   * Returns the direction of a latent.
   *
   * @param latent index of the latent
   * @return {@code [d_in]}, norm 1
   */
  float[] direction(int latent) {
    float[] row = new float[dIn];
    fillDirection(latent, row);
    return row;
  }

  private void fillDirection(int latent, float[] row) {
    Random random = new Random(seed * 1_000_003 + latent);
    double sum = 0;
    for (int d = 0; d < dIn; d++) {
      row[d] = (float) random.nextGaussian();
      sum += row[d] * row[d];
    }
    float inverse = (float) (1 / Math.sqrt(sum));
    for (int d = 0; d < dIn; d++) {
      row[d] *= inverse;
    }
  }

  /** All directions, {@code [d_sae, d_in]}, outside the heap so that they are gone afterwards. */
  private FloatBuffer directions() {
    FloatBuffer rows = ByteBuffer.allocateDirect(dSae * dIn * Float.BYTES).asFloatBuffer();
    IntStream.range(0, (dSae + CHUNK_LATENTS - 1) / CHUNK_LATENTS)
        .parallel()
        .forEach(
            chunk -> {
              float[] row = new float[dIn];
              int end = Math.min(dSae, (chunk + 1) * CHUNK_LATENTS);
              for (int j = chunk * CHUNK_LATENTS; j < end; j++) {
                fillDirection(j, row);
                rows.put(j * dIn, row);
              }
            });
    return rows;
  }

  /**
   * Writes the folder of the SAE in SAELens' format.
   *
   * @param folder is created if needed
   * @return the folder
   * @throws IOException if it cannot be written
   */
  public Path write(Path folder) throws IOException {
    Files.createDirectories(folder);
    Files.writeString(
        folder.resolve("cfg.json"),
        CONFIG.formatted(
            dIn, dSae, Arrays.toString(IntStream.of(WIDTHS).filter(w -> w <= dSae).toArray())));
    FloatBuffer rows = directions();
    try (SafetensorsWriter writer =
        SafetensorsWriter.builder()
            .tensor("W_enc", Dtype.F32, dIn, dSae)
            .tensor("W_dec", Dtype.F32, dSae, dIn)
            .tensor("b_enc", Dtype.F32, dSae)
            .tensor("b_dec", Dtype.F32, dIn)
            .tensor("threshold", Dtype.F32, dSae)
            .create(folder.resolve("sae_weights.safetensors"))) {
      for (TensorInfo tensor : writer.tensors()) {
        writeTensor(writer, tensor.name(), rows);
      }
      writer.finish();
    }
    return folder;
  }

  private void writeTensor(SafetensorsWriter writer, String name, FloatBuffer rows)
      throws IOException {
    switch (name) {
      case "W_enc" -> {
        float[] line = new float[dSae];
        for (int d = 0; d < dIn; d++) {
          for (int j = 0; j < dSae; j++) {
            line[j] = rows.get(j * dIn + d);
          }
          writer.writeFloats(name, line);
        }
      }
      case "W_dec" -> {
        float[] row = new float[dIn];
        for (int j = 0; j < dSae; j++) {
          rows.get(j * dIn, row);
          writer.writeFloats(name, row);
        }
      }
      case "b_enc" -> writer.writeFloats(name, new float[dSae]);
      case "b_dec" -> writer.writeFloats(name, decoderBias());
      default -> {
        float[] thresholds = new float[dSae];
        Arrays.fill(thresholds, threshold());
        writer.writeFloats(name, thresholds);
      }
    }
  }

  /** What the others add falls with the root of {@code d_in}. */
  private float threshold() {
    double scaled = THRESHOLD * Math.sqrt((double) THRESHOLD_D_IN / dIn);
    return (float) Math.min(scaled, MAX_THRESHOLD);
  }

  /** Zero but for the dimensions that stand out in every token. */
  private float[] decoderBias() {
    float[] bias = new float[dIn];
    for (int i = 0; i < OUTLIER_DIMENSIONS; i++) {
      bias[outlier(i)] = OUTLIER_SIZE;
    }
    return bias;
  }

  private int outlier(int i) {
    return (i * 997 + 13) % dIn;
  }

  /**
   * Makes tokens.
   *
   * @param first index of the first token; a token depends on its index and the seed alone
   * @param count how many
   * @return {@code [count, d_in]} row-major
   */
  public float[] tokens(long first, int count) {
    float[] x = new float[Math.multiplyExact(count, dIn)];
    IntStream.range(0, count)
        .parallel()
        .forEach(i -> fill(x, i * dIn, new SplittableRandom(seed ^ ((first + i) * 0x9e3779b9L))));
    return x;
  }

  private void fill(float[] x, int base, SplittableRandom random) {
    float[] bias = decoderBias();
    double noise = NOISE_NORM / Math.sqrt(dIn) * Math.sqrt(12);
    for (int d = 0; d < dIn; d++) {
      x[base + d] = bias[d] * (0.9f + 0.2f * (float) random.nextDouble());
      x[base + d] += (float) ((random.nextDouble() - 0.5) * noise);
    }
    int from = 0;
    for (int level = 0; level < WIDTHS.length && from < dSae; level++) {
      int to = Math.min(WIDTHS[level], dSae);
      int picks = (int) Math.round(LEVEL_SHARES[level] * ACTIVE);
      for (int p = 0; p < picks; p++) {
        float strength = 0.6f + 0.8f * (float) random.nextDouble();
        float[] row = direction(random.nextInt(from, to));
        for (int d = 0; d < dIn; d++) {
          x[base + d] += strength * row[d];
        }
      }
      from = to;
    }
  }
}
