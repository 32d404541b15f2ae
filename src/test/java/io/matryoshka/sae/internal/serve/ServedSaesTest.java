package io.matryoshka.sae.internal.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.LoadOptions;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.lm.HookPoint;
import io.matryoshka.sae.lm.Tokens;
import io.matryoshka.sae.lm.Trace;
import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** SAEs of other kinds on the bundled model: float64, another layer, a transcoder with a skip. */
class ServedSaesTest {

  private static final String DOUBLE = "other 2";
  private static final String TRANSCODER = "other 3";
  private static final String IN = "blocks.3.ln2.hook_normalized";
  private static final String OUT = "blocks.3.hook_mlp_out";
  private static final int D = 128;
  private static final int D_SAE = 64;

  @TempDir private static Path folder;
  private static SAE transcoder;
  private static ServedBookworm served;

  @BeforeAll
  static void start() throws IOException {
    Path bookworm = ServedBookworm.FOLDER.resolve(ServedBookworm.SAE_ID);
    SAE wide = SAE.load(bookworm, LoadOptions.defaults().dtype(Dtype.F64));
    transcoder = transcoder(folder.resolve("transcoder"));
    served = ServedBookworm.startWith(folder, wide, transcoder);
  }

  @AfterAll
  static void stop() throws IOException {
    served.close();
  }

  private static SAE transcoder(Path target) throws IOException {
    Files.createDirectories(target);
    Files.writeString(
        target.resolve("cfg.json"),
        ("{\"architecture\": \"jumprelu_skip_transcoder\", \"d_in\": %d, \"d_out\": %d, \"d_sae\": %d,"
                + " \"dtype\": \"float32\", \"apply_b_dec_to_input\": false,"
                + " \"normalize_activations\": \"none\", \"metadata\": {\"sae_lens_version\":"
                + " \"6.18.0\", \"hook_name\": \"%s\", \"hook_name_out\": \"%s\"}}")
            .formatted(D, D, D_SAE, IN, OUT));
    Random random = new Random(1);
    try (SafetensorsWriter writer =
        SafetensorsWriter.builder()
            .tensor("W_enc", Dtype.F32, D, D_SAE)
            .tensor("W_dec", Dtype.F32, D_SAE, D)
            .tensor("W_skip", Dtype.F32, D, D)
            .tensor("b_enc", Dtype.F32, D_SAE)
            .tensor("b_dec", Dtype.F32, D)
            .tensor("threshold", Dtype.F32, D_SAE)
            .create(target.resolve("sae_weights.safetensors"))) {
      writer.writeFloats("W_enc", random(random, D * D_SAE, 0.1f));
      writer.writeFloats("W_dec", random(random, D_SAE * D, 0.1f));
      writer.writeFloats("W_skip", random(random, D * D, 0.05f));
      writer.writeFloats("b_enc", new float[D_SAE]);
      writer.writeFloats("b_dec", random(random, D, 0.1f));
      float[] thresholds = new float[D_SAE];
      java.util.Arrays.fill(thresholds, 0.5f);
      writer.writeFloats("threshold", thresholds);
      writer.finish();
    }
    return SAE.load(target, LoadOptions.defaults().preparedCache(false));
  }

  private static float[] random(Random random, int count, float scale) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian() * scale;
    }
    return values;
  }

  private static JsonNode latents(String sae) throws IOException {
    return served.post("/api/latents", ServedBookworm.body(sae, ServedBookworm.TEXT));
  }

  @Test
  void float64Sae_hasTheFiguresOfFloat32() throws IOException {
    JsonNode wide = latents(DOUBLE);
    JsonNode usual = latents(ServedBookworm.KEY);
    for (int w = 0; w < 4; w++) {
      String figure = "/widths/%d/explained_variance".formatted(w);
      assertThat(wide.at(figure).doubleValue())
          .isCloseTo(usual.at(figure).doubleValue(), within(1e-5));
    }
    JsonNode losses = served.post("/api/losses", ServedBookworm.body(DOUBLE, "The cat sat."));
    JsonNode expected =
        served.post("/api/losses", ServedBookworm.body(ServedBookworm.KEY, "The cat sat."));
    assertThat(losses.at("/widths/3/mean_loss").doubleValue())
        .isCloseTo(expected.at("/widths/3/mean_loss").doubleValue(), within(1e-4));
  }

  @Test
  void transcoder_isMeasuredAtItsOutput() throws IOException {
    JsonNode answer = latents(TRANSCODER);
    Tokens tokens = served.model.tokens(ServedBookworm.TEXT);
    try (Trace trace = served.model.trace(tokens, HookPoint.parse(IN), HookPoint.parse(OUT))) {
      NDArray x = trace.at(IN);
      NDArray y = trace.at(OUT);
      NDArray left = y.sub(transcoder.forward(x)).square();
      NDArray variance = y.sub(y.mean(new int[] {0}, true)).square();
      double explained = 1 - left.sum().getFloat() / (double) variance.sum().getFloat();
      JsonNode width = answer.at("/widths/0");
      assertThat(width.get("width").intValue()).isEqualTo(D_SAE);
      assertThat(width.get("explained_variance").doubleValue())
          .isCloseTo(explained, within(1e-3 * Math.abs(explained)));
      SparseLatents latents = transcoder.encodeSparse(x);
      assertThat(width.get("l0").doubleValue())
          .isCloseTo(latents.activeCount() / (double) latents.rows(), within(1e-9));
      assertThat(answer.at("/latents/2")).hasSize(latents.activeCount(2));
      assertThat(answer.at("/shares/2/0").doubleValue()).isCloseTo(1, within(1e-9));
    }
  }

  @Test
  void transcoder_hasLogits_asItsOutputIsAddedToTheStream() throws IOException {
    JsonNode latent = served.get("/api/latent?sae=other%203&latent=5");
    assertThat(latent.at("/logits/promoted")).hasSize(10);
    assertThat(latent.get("relatives")).isEmpty();
  }

  @Test
  void transcoder_cannotStandInForWhatItReads() throws IOException {
    for (String call : new String[] {"losses", "intervene", "generate"}) {
      var answer =
          served.send(served.post("/api/" + call, ServedBookworm.body(TRANSCODER, "x").toString()));
      assertThat(answer.statusCode()).isEqualTo(409);
      assertThat(answer.body()).contains("does_not_fit", "is a transcoder");
    }
  }

  @Test
  void comparison_ofAnSaeAndATranscoder_hasNoLossesOfTheLatter() throws IOException {
    ObjectNode body = ServedBookworm.body("", "The cat sat.");
    body.remove("sae");
    body.putObject("left").put("sae", ServedBookworm.KEY);
    body.putObject("right").put("sae", TRANSCODER);
    JsonNode answer = served.post("/api/compare", body);
    assertThat(answer.at("/left/mean_loss").doubleValue()).isPositive();
    assertThat(answer.at("/right/mean_loss").isNull()).isTrue();
    assertThat(answer.get("matches")).isNotEmpty();
  }

  @Test
  void comparison_ofDifferentModels_isRefused() throws IOException {
    ObjectNode body = ServedBookworm.body("", "The cat sat.");
    body.remove("sae");
    body.putObject("left").put("sae", ServedBookworm.KEY);
    body.putObject("right").put("sae", ServedBookworm.SILENT);
    var answer = served.send(served.post("/api/compare", body.toString()));
    assertThat(answer.statusCode()).isEqualTo(409);
  }
}
