package io.matryoshka.sae;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.matryoshka.sae.CaseFolder.Tensor;
import io.matryoshka.sae.config.SaeFormatException;
import io.matryoshka.sae.internal.fetch.SaeFiles;
import io.matryoshka.sae.registry.ReleaseRegistry;
import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import io.matryoshka.sae.support.CapturedLog;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What SAELens' training keeps on disk, before it is saved for inference. */
class TrainingCheckpointTest {

  private static final float[] X = {0.5f, -1, 2, 1, -0.3f, 0.7f, 1.5f, -2};

  @TempDir private Path folder;
  @TempDir private Path converted;

  private static Tensor vector(float... values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return new Tensor(Dtype.F32, new long[] {values.length}, bytes.array());
  }

  private static Tensor scalar(double value) {
    ByteBuffer bytes = ByteBuffer.allocate(Double.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    return new Tensor(Dtype.F64, new long[0], bytes.putDouble(value).array());
  }

  private static void withScalarThreshold(Map<String, Tensor> tensors) {
    tensors.remove("threshold");
    tensors.put("topk_threshold", scalar(0.75));
  }

  private CaseFolder checkpoint(boolean rescaled) throws IOException {
    return CaseFolder.copy("matryoshka-batchtopk", folder)
        .config(c -> c.put("k", 4.0).put("rescale_acts_by_decoder_norm", rescaled))
        .weights(TrainingCheckpointTest::withScalarThreshold);
  }

  @ParameterizedTest
  @EnumSource(LoadOptions.Engine.class)
  void load_scalarThreshold_isThatOfEveryLatent(LoadOptions.Engine engine) throws IOException {
    checkpoint(false);
    float[] all = new float[24];
    Arrays.fill(all, 0.75f);
    CaseFolder.copy("matryoshka-batchtopk", converted)
        .weights(t -> t.put("threshold", vector(all)));

    LoadOptions options = LoadOptions.defaults().engine(engine);
    try (SAE sae = SAE.load(folder, options);
        SAE expected = SAE.load(converted, options)) {
      assertThat(sae).isInstanceOf(BatchTopKSae.class);
      assertThat(sae.widths()).isEqualTo(List.of(5, 12, 24));
      assertThat(sae.thresholds()).containsOnly(0.75f);
      assertThat(sae.encodeSparse(X)).isEqualTo(expected.encodeSparse(X));
    }
  }

  /** SAELens' conversion folds the norms: W_enc, b_enc times, W_dec divided by ||W_dec||. */
  @ParameterizedTest
  @EnumSource(LoadOptions.Engine.class)
  void load_rescaledByDecoderNorms_isTheFoldedSae(LoadOptions.Engine engine) throws IOException {
    checkpoint(true);
    float[] wDec;
    float[] wEnc;
    float[] bEnc;
    try (SafetensorsFile file = SafetensorsFile.open(folder.resolve(SaeFiles.WEIGHTS))) {
      wDec = file.readFloats("W_dec");
      wEnc = file.readFloats("W_enc");
      bEnc = file.readFloats("b_enc");
    }
    for (int j = 0; j < 24; j++) {
      double squares = 0;
      for (int d = 0; d < 8; d++) {
        squares += (double) wDec[j * 8 + d] * wDec[j * 8 + d];
      }
      float norm = (float) Math.sqrt(squares);
      bEnc[j] *= norm;
      for (int d = 0; d < 8; d++) {
        wEnc[d * 24 + j] *= norm;
        wDec[j * 8 + d] /= norm;
      }
    }
    float[] all = new float[24];
    Arrays.fill(all, 0.75f);
    Map<String, float[]> folded =
        Map.of("W_enc", wEnc, "W_dec", wDec, "b_enc", bEnc, "threshold", all);
    CaseFolder.copy("matryoshka-batchtopk", converted)
        .weights(
            t ->
                folded.forEach(
                    (name, values) ->
                        t.put(
                            name,
                            new Tensor(Dtype.F32, t.get(name).shape(), vector(values).bytes()))));

    LoadOptions options = LoadOptions.defaults().engine(engine);
    try (SAE sae = SAE.load(folder, options);
        SAE expected = SAE.load(converted, options)) {
      SparseLatents latents = sae.encodeSparse(X);
      SparseLatents wanted = expected.encodeSparse(X);
      assertThat(latents.activeCount()).isPositive();
      assertThat(latents.latents()).isEqualTo(wanted.latents());
      DemoReferenceTest.assertClose(latents.activations(), wanted.activations());
      DemoReferenceTest.assertClose(sae.decode(latents), expected.decode(wanted));
    }
  }

  @Test
  void load_thresholdNeverSet_isSaid() throws IOException {
    CaseFolder.copy("matryoshka-batchtopk", folder)
        .config(c -> c.put("k", 4))
        .weights(
            t -> {
              t.remove("threshold");
              t.put("topk_threshold", scalar(0));
            });
    try (CapturedLog log = CapturedLog.start();
        SAE sae = SAE.load(folder)) {
      assertThat(sae.thresholds()).containsOnly(0f);
      assertThat(log.text())
          .contains("all 24 thresholds are at most 0")
          .contains("--batch-top-k 4");
    }
  }

  private SAE scaled(LoadOptions options, String scaler) throws IOException {
    CaseFolder.copy("normalize-factor-of-the-registry", folder);
    if (!scaler.isEmpty()) {
      Files.writeString(folder.resolve(SaeFiles.SCALER), scaler);
    }
    return SAE.load(folder, options);
  }

  private static SparseLatents ofRegistry() throws IOException {
    ReleaseRegistry registry = ReleaseRegistry.load(DemoData.path("/config/registry.json"));
    try (SAE sae =
        SAE.fromPretrained("config-cases", "factor", LoadOptions.defaults().registry(registry))) {
      return sae.encodeSparse(X).withLevels(new Levels(List.of(24)));
    }
  }

  @Test
  void load_factorBesideTheWeights_isThatOfTheTable() throws IOException {
    try (SAE sae = scaled(LoadOptions.defaults(), "{\"scaling_factor\": 0.37}")) {
      assertThat(sae.encodeSparse(X)).isEqualTo(ofRegistry());
    }
  }

  @Test
  void load_factorOfTheOptions_winsOverTheFile() throws IOException {
    LoadOptions options = LoadOptions.defaults().normScalingFactor(0.37);
    try (SAE sae = scaled(options, "{\"scaling_factor\": 99}")) {
      assertThat(sae.encodeSparse(X)).isEqualTo(ofRegistry());
    }
  }

  @Test
  void load_factorUnknown_isSaidAndNothingIsScaled() throws IOException {
    try (CapturedLog log = CapturedLog.start();
        SAE sae = scaled(LoadOptions.defaults(), "");
        SAE one = SAE.load(folder, LoadOptions.defaults().normScalingFactor(1))) {
      assertThat(log.text()).contains("no scaling factor is known").contains("--scaling-factor");
      assertThat(sae.encodeSparse(X)).isEqualTo(one.encodeSparse(X));
    }
  }

  @Test
  void load_factorOfNull_isFoldedAlready() throws IOException {
    try (CapturedLog log = CapturedLog.start();
        SAE sae = scaled(LoadOptions.defaults(), "{\"scaling_factor\": null}");
        SAE one = SAE.load(folder, LoadOptions.defaults().normScalingFactor(1))) {
      assertThat(log.text()).doesNotContain("scaling factor");
      assertThat(sae.encodeSparse(X)).isEqualTo(one.encodeSparse(X));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"{}", "{\"scaling_factor\": 0}", "{\"scaling_factor\": \"x\"}", "{\"s"})
  void load_factorThatIsNone_isRefused(String scaler) {
    assertThatThrownBy(() -> scaled(LoadOptions.defaults(), scaler))
        .isInstanceOf(SaeFormatException.class)
        .hasMessageContaining(SaeFiles.SCALER);
  }

  @Test
  void load_factorThatIsNotUsed_isSaid() throws IOException {
    CaseFolder.copy("jumprelu", folder);
    try (CapturedLog log = CapturedLog.start();
        SAE sae = SAE.load(folder, LoadOptions.defaults().normScalingFactor(2));
        SAE plain = SAE.load(folder)) {
      assertThat(log.text()).contains("the scaling factor 2.0 is not used");
      assertThat(sae.encodeSparse(X)).isEqualTo(plain.encodeSparse(X));
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, -1, 1e-60, 1e60, Double.NaN, Double.POSITIVE_INFINITY})
  void normScalingFactor_beyondFloat32_isRefused(double factor) {
    assertThatThrownBy(() -> LoadOptions.defaults().normScalingFactor(factor))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("the scaling factor must be a positive number");
  }
}
