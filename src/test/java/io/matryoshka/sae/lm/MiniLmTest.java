package io.matryoshka.sae.lm;

import static io.matryoshka.sae.lm.ReferenceModel.assertClose;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import io.matryoshka.sae.support.MiniLm;
import io.matryoshka.sae.support.SourceFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * The bundled SAE from text: all-MiniLM-L6-v2 with its real weights against the activations that
 * ship with the SAE, which ONNX Runtime computed, and against SAELens' latents of them.
 */
class MiniLmTest {

  private static final HookPoint LAST = HookPoint.parse("last_hidden_state");
  private static final Path DEMO = SourceFiles.PROJECT.resolve("releases/demo");
  private static final int CLS = 101;
  private static final int SEP = 102;

  private static LanguageModel model;
  private static SAE sae;
  private static JsonNode demo;

  @BeforeAll
  static void open() throws IOException {
    model = LanguageModel.load(MiniLm.folder());
    sae = SAE.fromPretrained("all-minilm-l6-v2-matryoshka-demo", "last_hidden_state");
    demo = new ObjectMapper().readTree(DEMO.resolve("tokens.json").toFile());
  }

  @AfterAll
  static void close() {
    model.close();
    sae.close();
  }

  private static List<Tokens> texts() throws IOException {
    List<Tokens> texts = new ArrayList<>();
    for (JsonNode sentence : demo.get("sentences")) {
      texts.add(model.tokens(sentence.get("text").textValue()));
    }
    return texts;
  }

  /** For each row of the demo, the row of its token in a trace of all sentences. */
  private static long[] demoRows(int[] offsets) {
    long[] rows = new long[demo.get("tokens").size()];
    for (JsonNode token : demo.get("tokens")) {
      int sentence = token.get("sentence").intValue();
      rows[token.get("row").intValue()] = offsets[sentence] + token.get("position").longValue();
    }
    return rows;
  }

  /** The rows of the demo, from the text. */
  private static NDArray traced(NDManager manager) throws IOException {
    try (Trace trace = model.trace(texts(), List.of(LAST), List.of())) {
      NDArray rows = manager.create(demoRows(trace.rowOffsets()));
      return ModelKernels.arrays().call(manager, "rows", trace.at(LAST), rows);
    }
  }

  @Test
  void tokens_areThoseOfTheDemo_betweenClsAndSep() throws IOException {
    List<Tokens> texts = texts();
    for (Tokens text : texts) {
      assertThat(text.id(0)).isEqualTo(CLS);
      assertThat(text.id(text.size() - 1)).isEqualTo(SEP);
      assertThat(text.span(0)).isEmpty();
    }
    for (JsonNode token : demo.get("tokens")) {
      Tokens text = texts.get(token.get("sentence").intValue());
      int position = token.get("position").intValue();
      assertThat(text.id(position)).isEqualTo(token.get("token_id").intValue());
      assertThat(text.piece(position)).isEqualTo(token.get("token").textValue());
    }
    assertThat(model.specialIds()).containsExactlyInAnyOrder(CLS, SEP);
    assertThat(model.tokensWithoutBos("order").ids()).containsExactly(2344);
  }

  @Test
  void spans_countInTheTextAsTyped() throws IOException {
    String text = "Caf\u00e9 \ud83d\ude00 ORDERER";
    Tokens tokens = model.tokens(text);
    int order = tokens.pieces().indexOf("order");
    Tokens.Span span = tokens.span(order).orElseThrow();
    assertThat(text.substring(span.start(), span.end())).isEqualTo("ORDER");
    Tokens.Span cafe = tokens.span(tokens.pieces().indexOf("cafe")).orElseThrow();
    assertThat(text.substring(cafe.start(), cafe.end())).isEqualTo("Caf\u00e9");
  }

  @Test
  void lastHiddenState_isTheActivationsOfTheDemo() throws IOException {
    try (NDManager manager = ModelKernels.arrays().newManager();
        NDArray found = traced(manager);
        SafetensorsFile file = SafetensorsFile.open(DEMO.resolve("activations.safetensors"))) {
      float[] expected = file.readFloats("activations");
      float[] actual = found.toFloatArray();
      assertThat(actual).hasSize(512 * 384);
      float worst = 0;
      for (int i = 0; i < actual.length; i++) {
        worst = Math.max(worst, Math.abs(actual[i] - expected[i]));
      }
      assertThat(worst).isLessThan(1e-5f);
    }
  }

  @Test
  void latents_fromText_areThoseOfSaelens() throws IOException {
    Path reference = SourceFiles.PROJECT.resolve("src/test/resources/demo/reference.safetensors");
    try (NDManager manager = ModelKernels.arrays().newManager();
        NDArray x = traced(manager);
        SafetensorsFile file = SafetensorsFile.open(reference)) {
      SparseLatents latents = sae.encodeSparse(x);
      int[] offsets = latents.rowOffsets();
      int[] rows =
          IntStream.range(0, latents.rows())
              .flatMap(r -> IntStream.range(offsets[r], offsets[r + 1]).map(e -> r))
              .toArray();
      assertThat(rows).containsExactly(file.readInts("feature_acts_row"));
      assertThat(latents.latents()).containsExactly(file.readInts("feature_acts_latent"));
      assertClose("latents", latents.activations(), file.readFloats("feature_acts_value"));
    }
  }

  @Test
  void textAlone_hasTheValuesThatItHasAmongOthers() throws IOException {
    List<Tokens> texts = texts();
    try (Trace together = model.trace(texts, List.of(LAST), List.of())) {
      int[] offsets = together.rowOffsets();
      for (int t = 0; t < 5; t++) {
        try (Trace alone = model.trace(texts.get(t), LAST)) {
          NDArray rows = together.at(LAST).get(offsets[t] + ":" + offsets[t + 1]);
          assertClose("text " + t, alone.at(LAST), rows.toFloatArray());
        }
      }
    }
  }

  @Test
  void longText_isRefusedWhole_andTakenInParts() throws IOException {
    String text = "order ".repeat(600);
    assertThatThrownBy(() -> model.trace(model.tokens(text), LAST))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("602 tokens")
        .hasMessageContaining("at most 512");
    List<Tokens> parts = model.tokensInParts(text, 512);
    assertThat(parts.stream().map(Tokens::size)).containsExactly(512, 92);
    for (Tokens part : parts) {
      assertThat(part.id(0)).isEqualTo(CLS);
      assertThat(part.id(part.size() - 1)).isEqualTo(SEP);
    }
    assertThat(parts.get(1).span(1)).contains(new Tokens.Span(510 * 6, 510 * 6 + 5));
    assertThatThrownBy(() -> model.tokensInParts(text, 2)).hasMessageContaining("no room");
  }

  @Test
  void whatAnEncoderDoesNotHave_isRefusedSayingWhatItIs() throws IOException {
    Tokens text = model.tokens("order");
    List<ThrowingCallable> calls =
        Arrays.asList(
            () -> model.generate(text, GenerateOptions.greedy(3)),
            () -> model.losses(text),
            () -> model.trace(text, HookPoint.parse("logits")),
            () -> new SpliceLossRun(model, sae),
            () -> new ActivationExport(model, List.of("logits"), false, done -> {}));
    for (ThrowingCallable call : calls) {
      assertThatThrownBy(call)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("is an encoder (bert)");
    }
    assertThatThrownBy(() -> model.trace(text, HookPoint.parse("blocks.0.ln1.hook_normalized")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("blocks.0.ln1.hook_normalized")
        .hasMessageContaining("last_hidden_state");
  }
}
