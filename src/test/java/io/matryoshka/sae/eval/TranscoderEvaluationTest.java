package io.matryoshka.sae.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.matryoshka.sae.LoadOptions;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.npy.NpyWriter;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import io.matryoshka.sae.stream.ActivationSource;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Transcoders are compared with the activations of their output. */
class TranscoderEvaluationTest {

  private static final Path FORMATS = Path.of("src/test/resources/formats");

  @TempDir private Path folder;

  private static SAE load(String name) throws IOException {
    return SAE.load(
        FORMATS.resolve(name).resolve("sae"), LoadOptions.defaults().preparedCache(false));
  }

  private float[] values(String name, String tensor) throws IOException {
    try (SafetensorsFile file =
        SafetensorsFile.open(FORMATS.resolve(name).resolve("expected.safetensors"))) {
      return file.readFloats(tensor);
    }
  }

  private ActivationSource source(String name, float[] values, int width) throws IOException {
    Path file = folder.resolve(name);
    try (NpyWriter writer = NpyWriter.create(file, values.length / width, width)) {
      writer.write(values, 0, values.length);
      writer.finish();
    }
    return ActivationSource.open(List.of(file));
  }

  @ParameterizedTest
  @ValueSource(strings = {"gemma-scope-2-transcoder-affine", "saelens-jumprelu-transcoder"})
  void transcoder_isComparedWithItsTarget(String name) throws IOException {
    try (SAE sae = load(name)) {
      float[] y = values(name, "reconstruction");
      ActivationSource x = source("x.npy", values(name, "x"), sae.dIn());
      Evaluation exact =
          EvaluationRun.run(
              sae, x, source("y.npy", y, sae.dOut()), EvaluationRunOptions.defaults());
      assertThat(exact.widths().get(0).explainedVariance().pooled()).isCloseTo(1, within(1e-9));

      // By hand: a target that is 0.5 off in one of d_out dimensions of every row.
      for (int row = 0; row < y.length / sae.dOut(); row++) {
        y[row * sae.dOut()] += 0.5f;
      }
      Evaluation off =
          EvaluationRun.run(
              sae, x, source("off.npy", y, sae.dOut()), EvaluationRunOptions.defaults());
      assertThat(off.widths().get(0).reconstruction().mse())
          .isCloseTo(0.25 / sae.dOut(), within(1e-5));
    }
  }

  @Test
  void transcoder_withoutTarget_isRefused() throws IOException {
    String name = "saelens-jumprelu-transcoder";
    try (SAE sae = load(name)) {
      ActivationSource x = source("x.npy", values(name, "x"), sae.dIn());
      assertThatThrownBy(() -> EvaluationRun.run(sae, x, EvaluationRunOptions.defaults()))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("blocks.3.hook_mlp_out")
          .hasMessageContaining("--target");
      assertThatThrownBy(() -> Evaluator.of(sae).add(values(name, "x")))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("give both");
      ActivationSource narrow = source("n.npy", values(name, "x"), sae.dIn());
      assertThatThrownBy(() -> EvaluationRun.run(sae, x, narrow, EvaluationRunOptions.defaults()))
          .hasMessageContaining("d_out = 32");
    }
  }

  @Test
  void sae_withTarget_isRefused() throws IOException {
    String name = "gemma-scope-2-sae";
    try (SAE sae = load(name)) {
      ActivationSource x = source("x.npy", values(name, "x"), sae.dIn());
      ActivationSource y = source("y.npy", values(name, "reconstruction"), sae.dOut());
      assertThatThrownBy(() -> EvaluationRun.run(sae, x, y, EvaluationRunOptions.defaults()))
          .hasMessageContaining("for transcoders");
    }
  }
}
