package io.matryoshka.sae;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.matryoshka.sae.LoadOptions.Engine;
import io.matryoshka.sae.internal.fetch.SaeFiles;
import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The three selections against the definition in plain Java. Weights and activations are small
 * integers, so that float arithmetic is exact and many pre-activations are equal.
 */
class SelectionTest {

  private static final int D_IN = 6;
  private static final int D_SAE = 40;
  private static final int ROWS = 23;

  @TempDir Path folder;
  private final int[] encoder = new int[D_IN * D_SAE];
  private final int[] bias = new int[D_SAE];
  private final int[] threshold = new int[D_SAE];
  private final int[] x = new int[ROWS * D_IN];

  @BeforeEach
  void makeSae() throws IOException {
    Random random = new Random(11);
    for (int[] array : List.of(encoder, bias, threshold, x)) {
      for (int i = 0; i < array.length; i++) {
        array[i] = random.nextInt(5) - 2;
      }
    }
    CaseFolder.copy("jumprelu", folder).config(c -> c.put("d_in", D_IN).put("d_sae", D_SAE));
    try (SafetensorsWriter writer =
        SafetensorsWriter.builder()
            .tensor("W_enc", Dtype.F32, D_IN, D_SAE)
            .tensor("W_dec", Dtype.F32, D_SAE, D_IN)
            .tensor("b_enc", Dtype.F32, D_SAE)
            .tensor("b_dec", Dtype.F32, D_IN)
            .tensor("threshold", Dtype.F32, D_SAE)
            .create(folder.resolve(SaeFiles.WEIGHTS))) {
      writer.writeFloats("W_enc", floats(encoder));
      writer.writeFloats("W_dec", new float[D_IN * D_SAE]);
      writer.writeFloats("b_enc", floats(bias));
      writer.writeFloats("b_dec", new float[D_IN]);
      writer.writeFloats("threshold", floats(threshold));
      writer.finish();
    }
  }

  private static float[] floats(int[] values) {
    float[] floats = new float[values.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = values[i];
    }
    return floats;
  }

  private int preActivation(int row, int latent) {
    int z = bias[latent];
    for (int d = 0; d < D_IN; d++) {
      z += x[row * D_IN + d] * encoder[d * D_SAE + latent];
    }
    return z;
  }

  /** Dense activations where some flat indices are kept. */
  private float[] kept(int width, List<Integer> flat) {
    float[] dense = new float[ROWS * width];
    flat.forEach(i -> dense[i] = Math.max(0, preActivation(i / width, i % width)));
    return dense;
  }

  private List<Integer> largest(int width, int from, int to, int count) {
    return IntStream.range(from, to)
        .boxed()
        .sorted(
            Comparator.<Integer>comparingInt(i -> -preActivation(i / width, i % width))
                .thenComparingInt(i -> i))
        .limit(count)
        .toList();
  }

  private static float[] dense(SparseLatents latents) {
    float[] dense = new float[latents.rows() * latents.width()];
    for (int row = 0; row < latents.rows(); row++) {
      int base = row * latents.width();
      latents.forEach(row, (latent, activation) -> dense[base + latent] = activation);
    }
    return dense;
  }

  private SparseLatents encode(Engine engine, int width, Selection selection) throws IOException {
    try (SAE sae = SAE.load(folder, LoadOptions.defaults().engine(engine));
        SAE view = sae.prefix(width)) {
      return view.encodeSparse(FloatBuffer.wrap(floats(x)), ROWS, selection);
    }
  }

  @ParameterizedTest
  @EnumSource(Engine.class)
  void threshold_strict_passesNoEqualAndNoNegativeValue(Engine engine) throws IOException {
    for (int width : new int[] {1, 7, D_SAE}) {
      List<Integer> above =
          IntStream.range(0, ROWS * width)
              .filter(i -> preActivation(i / width, i % width) > threshold[i % width])
              .boxed()
              .toList();
      assertThat(dense(encode(engine, width, Selection.threshold()))).isEqualTo(kept(width, above));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "FAST, 1, 1",
    "FAST, 7, 3",
    "FAST, 40, 1",
    "FAST, 40, 8",
    "FAST, 40, 40",
    "FAST, 40, 1000",
    "REFERENCE, 7, 3",
    "REFERENCE, 40, 8",
    "REFERENCE, 40, 1000",
  })
  void topK_ties_keepTheLowerLatent(Engine engine, int width, int k) throws IOException {
    List<Integer> flat =
        IntStream.range(0, ROWS)
            .boxed()
            .flatMap(row -> largest(width, row * width, (row + 1) * width, k).stream())
            .toList();
    SparseLatents latents = encode(engine, width, Selection.topK(k));

    assertThat(dense(latents)).isEqualTo(kept(width, flat));
    for (int row = 0; row < ROWS; row++) {
      assertThat(latents.activeCount(row)).isLessThanOrEqualTo(k);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "FAST, 1, 1",
    "FAST, 7, 1",
    "FAST, 7, 3",
    "FAST, 40, 1",
    "FAST, 40, 8",
    "FAST, 40, 1000",
    "REFERENCE, 7, 3",
    "REFERENCE, 40, 8",
    "REFERENCE, 40, 1000",
  })
  void batchTopK_ties_keepTheLowerFlatIndex(Engine engine, int width, int k) throws IOException {
    List<Integer> flat = largest(width, 0, ROWS * width, Math.min(k, width) * ROWS);

    assertThat(dense(encode(engine, width, Selection.batchTopK(k)))).isEqualTo(kept(width, flat));
  }

  @Test
  void selections_describeThemselvesAndRefuseBadK() {
    assertThat(Selection.threshold()).hasToString("threshold");
    assertThat(Selection.topK(3)).hasToString("topK(3)");
    assertThat(Selection.batchTopK(4)).hasToString("batchTopK(4)");
    assertThatThrownBy(() -> Selection.topK(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("k must be at least 1, got 0");
    assertThatThrownBy(() -> Selection.batchTopK(-1)).hasMessage("k must be at least 1, got -1");
  }
}
