package io.matryoshka.sae.lm;

import static io.matryoshka.sae.lm.ReferenceModel.assertClose;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.matryoshka.sae.NativeMemory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** A small random BERT against its formulas: every place, padding, names of tensors, bad input. */
class BertModelTest {

  private static final int VOCABULARY = 40;
  private static final HookPoint LAST = HookPoint.parse("last_hidden_state");
  private static final int[] LONG = {5, 39, 0, 17, 17, 8, 21, 3, 30, 2};
  private static final int[] SHORT = {7, 1, 25};
  private static final int[] SINGLE = {9};

  @TempDir private Path folder;

  private static float[] flat(double[][] rows) {
    return ReferenceModel.narrow(Arrays.stream(rows).flatMapToDouble(Arrays::stream).toArray());
  }

  private static Stream<Arguments> variants() {
    return Stream.of(
        Arguments.of(1e-12, false), Arguments.of(1e-12, true), Arguments.of(0.3, false));
  }

  @ParameterizedTest
  @MethodSource("variants")
  void everyPlace_hasTheValueOfTheFormulas_inABatchOfUnequalTexts(double epsilon, boolean tanh)
      throws IOException {
    RandomBert bert = new RandomBert(VOCABULARY, epsilon, tanh);
    List<String> names = List.copyOf(bert.run(LONG).keySet());
    List<HookPoint> points = names.stream().map(HookPoint::parse).toList();
    List<int[]> texts = List.of(SHORT, LONG, SINGLE, SHORT);
    try (LanguageModel model = LanguageModel.load(bert.writeTo(folder));
        Trace trace = model.trace(texts.stream().map(Tokens::of).toList(), points, List.of())) {
      int[] offsets = trace.rowOffsets();
      for (int t = 0; t < texts.size(); t++) {
        Map<String, double[][]> expected = bert.run(texts.get(t));
        for (String name : names) {
          NDArray rows = trace.at(name).get(offsets[t] + ":" + offsets[t + 1]);
          assertClose(name + " of text " + t, rows, flat(expected.get(name)));
        }
      }
    }
  }

  @Test
  void namesOfTransformerLens_areThePlacesThatItMeans() {
    Map<String, String> names =
        Map.of(
            "blocks.1.hook_resid_pre", "encoder.layer.1.input",
            "blocks.1.attn.hook_z", "bert.encoder.layer.1.attention.output.dense.input",
            "blocks.1.hook_attn_out", "encoder.layer.1.attention.output.dense.output",
            "blocks.1.hook_resid_mid", "encoder.layer.1.attention.output.LayerNorm.input",
            "blocks.1.mlp.hook_post", "encoder.layer.1.output.dense.input",
            "blocks.1.hook_mlp_out", "encoder.layer.1.output.dense.output",
            "blocks.1.hook_resid_post", "encoder.layer.1.output.LayerNorm.input",
            "blocks.1.hook_normalized_resid_post", "0.auto_model.encoder.layer.1");
    names.forEach(
        (lens, module) -> {
          assertThat(HookPoint.parse(module)).isEqualTo(HookPoint.parse(lens));
          assertThat(HookPoint.parse(module)).hasToString(lens);
        });
    assertThat(HookPoint.parse("encoder.layer.1.output"))
        .isEqualTo(HookPoint.parse("encoder.layer.1.output.LayerNorm.output"));
  }

  private static Stream<UnaryOperator<String>> namings() {
    return Stream.of(
        name -> "bert." + name,
        name -> "0.auto_model." + name,
        name ->
            "bert."
                + name.replace("LayerNorm.weight", "LayerNorm.gamma")
                    .replace("LayerNorm.bias", "LayerNorm.beta"));
  }

  @ParameterizedTest
  @MethodSource("namings")
  void otherNamesOfTensors_areTheSameModel(UnaryOperator<String> naming) throws IOException {
    RandomBert bert = new RandomBert(VOCABULARY, 1e-12, false);
    try (LanguageModel model = LanguageModel.load(bert.writeTo(folder, naming));
        Trace trace = model.trace(Tokens.of(LONG), LAST)) {
      assertClose("last", trace.at(LAST), flat(bert.run(LONG).get("last_hidden_state")));
    }
  }

  @Test
  void intervention_inALayer_goesOnThroughTheModel() throws IOException {
    RandomBert bert = new RandomBert(VOCABULARY, 1e-12, false);
    HookPoint out = HookPoint.parse("encoder.layer.0.output");
    HookPoint next = HookPoint.parse("encoder.layer.1.input");
    double[][] patched = bert.run(SHORT).get("encoder.layer.0.output");
    Arrays.fill(patched[1], 0);
    try (LanguageModel model = LanguageModel.load(bert.writeTo(folder));
        Trace changed =
            model.trace(
                List.of(Tokens.of(SHORT), Tokens.of(LONG)),
                List.of(next, LAST),
                List.of(Intervention.zero(out).positions(1, 2)))) {
      float[] entering = flat(patched);
      assertClose(
          "entering", Arrays.copyOf(changed.at(next).toFloatArray(), entering.length), entering);
      float[] last = flat(bert.layer(1, patched, new HashMap<>()));
      assertClose("last", Arrays.copyOf(changed.at(LAST).toFloatArray(), last.length), last);
    }
  }

  @Test
  void bfloat16File_isComputedInFloat32() throws IOException {
    RandomBert bert = new RandomBert(VOCABULARY, 1e-12, false);
    try (LanguageModel model = LanguageModel.load(bert.writeRounded(folder));
        Trace trace = model.trace(Tokens.of(LONG), LAST)) {
      assertClose("last", trace.at(LAST), flat(bert.run(LONG).get("last_hidden_state")));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"absolute\" | \"relative_key\" | position_embedding_type",
        "\"hidden_act\": \"gelu\" | \"hidden_act\": \"relu\" | relu",
        "\"num_attention_heads\": 3 | \"num_attention_heads\": 5 | num_attention_heads",
        "\"type_vocab_size\": 2 | \"type_vocab_size\": 2, \"is_decoder\": true | is_decoder",
        "\"type_vocab_size\": 2 | \"type_vocab_size\": 2, \"pruned_heads\": {\"0\": [1]} | pruned_heads",
        "\"type_vocab_size\": 2 | \"type_vocab_size\": 3 | token_type_embeddings",
        "\"num_hidden_layers\": 2 | \"num_hidden_layers\": 3 | encoder.layer.2",
        "\"intermediate_size\": 20 | \"intermediate_size\": 24 | intermediate.dense",
        "\"layer_norm_eps\": 1.0E-12 | \"layer_norm_eps\": -1 | layer_norm_eps",
        "\"model_type\": \"bert\" | \"model_type\": \"roberta\" | bert"
      })
  void configuration_thatIsNotUnderstood_isRefusedByName(String from, String to, String named)
      throws IOException {
    new RandomBert(VOCABULARY, 1e-12, false).writeTo(folder);
    Path config = folder.resolve("config.json");
    String text = Files.readString(config);
    assertThat(text).contains(from);
    Files.writeString(config, text.replace(from, to));
    assertThatThrownBy(() -> LanguageModel.load(folder))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining(named)
        .hasMessageContaining(folder.toString());
  }

  @Test
  void modulePathsOfGemma_areRefused_evenWhereTheirWordsMeanAPlace() throws IOException {
    RandomBert bert = new RandomBert(VOCABULARY, 1e-12, false);
    try (LanguageModel model = LanguageModel.load(bert.writeTo(folder))) {
      assertThatThrownBy(
              () -> new ActivationExport(model, List.of("model.layers.1.output"), false, n -> {}))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("model.layers.1.output")
          .hasMessageContaining("expected encoder.layer.N");
    }
    try (LanguageModel model = LanguageModel.load(ReferenceModel.folder("gemma3"))) {
      assertThatThrownBy(
              () -> new ActivationExport(model, List.of("encoder.layer.1.input"), false, n -> {}))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("expected model.layers.N");
    }
  }

  @Test
  void calls_andThoseThatFail_leaveNothing() throws IOException {
    RandomBert bert = new RandomBert(VOCABULARY, 1e-12, false);
    List<Tokens> texts = List.of(Tokens.of(SHORT), Tokens.of(LONG), Tokens.of(SINGLE));
    HookPoint middle = HookPoint.parse("encoder.layer.0.output");
    Intervention failing =
        Intervention.at(
            middle,
            rows -> {
              throw new IllegalStateException("of the user");
            });
    try (LanguageModel model = LanguageModel.load(bert.writeTo(folder));
        NDManager any = NDManager.newBaseManager(Device.cpu())) {
      model.trace(texts, List.of(LAST, middle), List.of()).close(); // what is made once
      NativeMemory.Live before = NativeMemory.live(any);
      model.trace(texts, List.of(LAST, middle), List.of(Intervention.zero(middle))).close();
      assertThat(NativeMemory.live(any)).as("trace").isEqualTo(before);
      assertThatThrownBy(() -> model.trace(texts, List.of(LAST), List.of(failing)))
          .hasMessageContaining("of the user");
      assertThat(NativeMemory.live(any)).as("failing edit").isEqualTo(before);
      assertThatThrownBy(() -> model.trace(Tokens.of(1, VOCABULARY), LAST))
          .hasMessageContaining("token id");
      assertThatThrownBy(() -> model.logits(Tokens.of(1), any)).hasMessageContaining("encoder");
      assertThat(NativeMemory.live(any)).as("bad input").isEqualTo(before);
    }
  }

  @Test
  void textsThatDoNotFit_areRefused() throws IOException {
    RandomBert bert = new RandomBert(VOCABULARY, 1e-12, false);
    try (LanguageModel model = LanguageModel.load(bert.writeTo(folder))) {
      assertThatThrownBy(() -> model.trace(Tokens.of(new int[17]), LAST))
          .hasMessageContaining("17 tokens")
          .hasMessageContaining("at most 16");
      assertThatThrownBy(() -> model.trace(Tokens.of(1, VOCABULARY), LAST))
          .hasMessageContaining("token id 40 at position 1");
      assertThatThrownBy(() -> model.trace(Tokens.of(1), HookPoint.parse("encoder.layer.2")))
          .hasMessageContaining("layers 0 to 1");
      assertThat(model.specialIds()).isEmpty();
      assertThat(model).hasToString("LanguageModel[" + folder + ", bert, 2 layers]");
    }
  }
}
