package io.matryoshka.sae.lm;

import static io.matryoshka.sae.lm.ReferenceModel.assertClose;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import com.fasterxml.jackson.databind.JsonNode;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The bundled model and SAE against transformers and SAELens: text, stream, latents, losses. */
class BookwormTest {

  private static LanguageModel model;
  private static SAE sae;

  @BeforeAll
  static void open() throws IOException {
    model = Bookworm.model();
    sae = SAE.load(Bookworm.FOLDER.resolve(Bookworm.SAE_ID));
  }

  @AfterAll
  static void close() {
    model.close();
    sae.close();
  }

  @Test
  void tokens_areThoseOfTransformers() throws IOException {
    for (JsonNode text : Bookworm.texts().get("texts")) {
      Tokens tokens = model.tokens(text.get("text").textValue());
      assertThat(tokens.ids()).containsExactly(Bookworm.ints(text.get("ids")));
      List<String> pieces = new ArrayList<>();
      text.get("pieces").forEach(piece -> pieces.add(piece.textValue()));
      assertThat(tokens.pieces()).isEqualTo(pieces);
    }
  }

  @Test
  void tokens_ofHalfASurrogatePair_areThoseOfTheReplacementCharacter() throws IOException {
    Tokens tokens = model.tokens("a \ud800 b \ud83d\ude00 \udc00");

    assertThat(tokens.ids()).isEqualTo(model.tokens("a \ufffd b \ud83d\ude00 \ufffd").ids());
    assertThat(tokens.span(tokens.size() - 1).orElseThrow().end()).isEqualTo(10);
  }

  @Test
  void stream_equalsTransformers() throws IOException {
    try (SafetensorsFile reference = Bookworm.reference();
        Trace trace =
            model.trace(
                Bookworm.tokens(), List.of(Bookworm.HOOK, HookPoint.parse("logits")), List.of())) {
      assertThat(trace.rowOffsets()).containsExactly(reference.readInts("row_offsets"));
      assertClose("resid_post", trace.at(Bookworm.HOOK), reference.readFloats("resid_post"));
      int[] offsets = trace.rowOffsets();
      NDArray logits = trace.at("logits");
      int vocabulary = model.config().vocabularySize();
      float[] last = new float[(offsets.length - 1) * vocabulary];
      for (int t = 0; t + 1 < offsets.length; t++) {
        float[] row = logits.get(offsets[t + 1] - 1L).toFloatArray();
        System.arraycopy(row, 0, last, t * vocabulary, vocabulary);
      }
      assertClose("logits_last", last, reference.readFloats("logits_last"));
    }
  }

  @Test
  void activeLatents_areThoseOfSaelens() throws IOException {
    try (SafetensorsFile reference = Bookworm.reference();
        Trace trace = model.trace(Bookworm.tokens(), List.of(Bookworm.HOOK), List.of())) {
      SparseLatents latents = sae.encodeSparse(trace.at(Bookworm.HOOK));
      int[] rows = reference.readInts("latent_row");
      int[] expected = reference.readInts("latent_index");
      int[] offsets = latents.rowOffsets();
      assertThat(latents.latents()).containsExactly(expected);
      int[] found =
          IntStream.range(0, latents.rows())
              .flatMap(r -> IntStream.range(offsets[r], offsets[r + 1]).map(e -> r))
              .toArray();
      assertThat(found).containsExactly(rows);
      assertClose("latents", latents.activations(), reference.readFloats("latent_value"));
      float[][] reconstructions = sae.reconstructions(latents);
      for (int w = 0; w < reconstructions.length; w++) {
        String name = "reconstruction_w" + sae.widths().get(w);
        assertClose(name, reconstructions[w], reference.readFloats(name));
      }
    }
  }

  @Test
  void splicedLosses_equalTransformersAtEveryWidth() throws IOException {
    List<List<Intervention>> runs = new ArrayList<>();
    List<SAE> views = sae.widths().stream().map(sae::prefix).toList();
    views.forEach(view -> runs.add(List.of(Intervention.splice(view).skipBos())));
    for (JsonNode text : Bookworm.texts().get("texts")) {
      Tokens tokens = Tokens.of(Bookworm.ints(text.get("ids")));
      List<TokenLosses> losses = model.losses(tokens, runs);
      assertThat(mean(losses.get(0).crossEntropy()))
          .isCloseTo(text.get("cross_entropy").doubleValue(), within(1e-5));
      for (int w = 0; w < views.size(); w++) {
        JsonNode expected = text.get("spliced").get(Integer.toString(sae.widths().get(w)));
        TokenLosses found = losses.get(w + 1);
        assertThat(mean(found.crossEntropy()))
            .isCloseTo(expected.get("cross_entropy").doubleValue(), within(1e-5));
        double[] kl = found.kl();
        assertThat(mean(kl)).isCloseTo(expected.get("kl").doubleValue(), within(1e-5));
      }
    }
  }

  private static double mean(double[] values) {
    return Arrays.stream(values).average().orElseThrow();
  }

  @Test
  void continuations_cleanAndSteered_equalTransformers() throws IOException {
    JsonNode texts = Bookworm.texts();
    Intervention steer =
        Intervention.steer(
            sae,
            texts.get("steered_latent").intValue(),
            texts.get("steering_strength").floatValue());
    for (JsonNode c : texts.get("continuations")) {
      Tokens prompt = Tokens.of(Bookworm.ints(c.get("prompt_ids")));
      GenerateOptions options = GenerateOptions.greedy(20);
      assertContinuation(c.get("clean_ids"), prompt, model.generate(prompt, options));
      assertContinuation(c.get("steered_ids"), prompt, model.generate(prompt, options, steer));
      assertContinuation(
          c.get("steered_ids"), prompt, model.generate(prompt, options.cached(false), steer));
    }
  }

  private static void assertContinuation(JsonNode ids, Tokens prompt, Generation generation) {
    int[] all = Bookworm.ints(ids);
    assertThat(generation.tokens().ids())
        .containsExactly(Arrays.copyOfRange(all, prompt.size(), all.length));
  }

  @Test
  void splice_keepingTheError_changesNothing() throws IOException {
    Tokens tokens = Bookworm.tokens().get(3);
    double[] kl = model.losses(tokens, Intervention.edit(sae, f -> f)).kl();
    assertThat(Arrays.stream(kl).max().orElseThrow()).isLessThan(1e-9);
  }

  private static Tokens first() throws IOException {
    return Bookworm.tokens().get(0);
  }

  @Test
  void unembed_ofTheLastStream_givesTheLogits() throws IOException {
    Tokens tokens = first();
    HookPoint last = HookPoint.residPost(model.config().layerCount() - 1);
    try (Trace trace = model.trace(tokens, last, HookPoint.parse("logits"))) {
      NDArray stream = trace.at(last);
      assertClose(
          "logits", model.unembed(stream, stream.getManager()), trace.at("logits").toFloatArray());
    }
  }

  @Test
  void unembed_ofOtherRows_isRefused() {
    try (Trace trace = model.trace(Tokens.of(2, 3), Bookworm.HOOK)) {
      NDArray row = trace.at(Bookworm.HOOK).get(0);
      assertThatThrownBy(() -> model.unembed(row, row.getManager()))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("expected float32 rows of shape [n, 128], got (128)");
    }
  }

  @Test
  void pieces_ofIds_makeTheText() throws IOException {
    String text = "The cat sat.";
    StringBuilder joined = new StringBuilder();
    for (int id : model.tokensWithoutBos(text).ids()) {
      joined.append(model.piece(id));
    }
    assertThat(joined.toString()).isEqualTo(text);
    assertThat(model.piece(2)).isEqualTo("<bos>");
    assertThatThrownBy(() -> model.piece(4096)).hasMessageContaining("0..4095, got 4096");
  }

  @Test
  void scaledLatent_changesTheStreamByItsPart() throws IOException {
    Tokens tokens = first();
    try (Trace clean = model.trace(tokens, Bookworm.HOOK);
        Trace scaled =
            model.trace(
                List.of(tokens), List.of(Bookworm.HOOK), List.of(Intervention.scale(sae, 22, 3)))) {
      NDArray x = clean.at(Bookworm.HOOK);
      SparseLatents latents = sae.encodeSparse(x);
      float[] expected = x.toFloatArray();
      float[] direction = sae.decoderRows(22, 23);
      for (int i = 0; i < expected.length; i++) {
        expected[i] += 2 * latents.activation(i / 128, 22) * direction[i % 128];
      }
      assertClose("scaled", scaled.at(Bookworm.HOOK), expected);
    }
    assertThatThrownBy(() -> Intervention.scale(sae, 22, Float.NaN))
        .hasMessageContaining("factor must be finite");
  }
}
