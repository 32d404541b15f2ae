package io.matryoshka.sae.lm;

import static io.matryoshka.sae.lm.ReferenceModel.assertClose;
import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import io.matryoshka.sae.safetensors.TensorInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Four small random models against transformers: every hook, logits, losses, continuations. */
class ReferenceModelsTest {

  private static final Map<String, List<String>> NAMES =
      Map.of(
          "resid_pre", List.of("blocks.%d.hook_resid_pre", "model.layers.%d.input"),
          "resid_post", List.of("blocks.%d.hook_resid_post", "model.layers.%d.output"),
          "attn_out",
              List.of("blocks.%d.hook_attn_out", "model.layers.%d.post_attention_layernorm.output"),
          "mlp_in", List.of("model.layers.%d.pre_feedforward_layernorm.output"),
          "mlp_out",
              List.of(
                  "blocks.%d.hook_mlp_out", "model.layers.%d.post_feedforward_layernorm.output"),
          "z", List.of("blocks.%d.attn.hook_z", "model.layers.%d.self_attn.o_proj.input"));

  @TempDir private Path folder;

  static Stream<String> models() {
    return Stream.of("gemma2", "gemma3", "gemma3-bf16-sharded", "gemma3-multimodal");
  }

  private static Map<HookPoint, String> hooks(ReferenceModel reference, int name) {
    Map<HookPoint, String> hooks = new LinkedHashMap<>();
    for (TensorInfo info : reference.values().tensors()) {
      int dot = info.name().indexOf('.');
      if (dot > 0) {
        List<String> names = NAMES.get(info.name().substring(0, dot));
        int layer = Integer.parseInt(info.name().substring(dot + 1));
        String text = names.get(Math.min(name, names.size() - 1)).formatted(layer);
        hooks.put(HookPoint.parse(text), info.name());
      }
    }
    hooks.put(HookPoint.parse("logits"), "logits");
    return hooks;
  }

  private static Intervention[] patch(ReferenceModel reference) throws IOException {
    HookPoint point = HookPoint.residPost(reference.values().readInts("patched_layer")[0]);
    return new Intervention[] {
      Intervention.at(point, x -> x.mul(0.5f)).positions(0, 3),
      Intervention.at(point, NDArray::neg).positions(p -> p >= 3)
    };
  }

  @ParameterizedTest
  @MethodSource("models")
  void everyHook_equalsTransformers(String name) throws IOException {
    try (ReferenceModel reference = ReferenceModel.open(name);
        LanguageModel model = LanguageModel.load(ReferenceModel.folder(name))) {
      for (int names = 0; names < 2; names++) {
        Map<HookPoint, String> hooks = hooks(reference, names);
        try (Trace trace =
            model.trace(reference.texts(), new ArrayList<>(hooks.keySet()), List.of())) {
          for (Map.Entry<HookPoint, String> hook : hooks.entrySet()) {
            assertClose(
                hook.toString(), trace.at(hook.getKey()), reference.floats(hook.getValue()));
          }
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void patchedStream_changesLogitsAsInTransformers(String name) throws IOException {
    try (ReferenceModel reference = ReferenceModel.open(name);
        LanguageModel model = LanguageModel.load(ReferenceModel.folder(name));
        Trace trace =
            model.trace(
                reference.texts(), List.of(HookPoint.parse("logits")), List.of(patch(reference)))) {
      assertClose("patched", trace.at("logits"), reference.floats("patched_logits"));
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void losses_equalThoseOfTransformers(String name) throws IOException {
    try (ReferenceModel reference = ReferenceModel.open(name);
        LanguageModel model = LanguageModel.load(ReferenceModel.folder(name))) {
      List<Double> crossEntropy = new ArrayList<>();
      List<Double> kl = new ArrayList<>();
      for (Tokens text : reference.texts()) {
        List<TokenLosses> both = model.losses(text, List.of(List.of(patch(reference))));
        Arrays.stream(both.get(0).crossEntropy()).forEach(crossEntropy::add);
        Arrays.stream(both.get(1).kl()).forEach(kl::add);
        assertThat(both.get(0).kl()).containsOnly(0.0);
      }
      assertClose(
          "cross-entropy",
          ReferenceModel.narrow(crossEntropy.stream().mapToDouble(d -> d).toArray()),
          reference.floats("next_token_cross_entropy"));
      assertClose(
          "kl",
          ReferenceModel.narrow(kl.stream().mapToDouble(d -> d).toArray()),
          reference.floats("kl_original_patched"));
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void greedyContinuation_equalsTransformers_cachedOrNot(String name) throws IOException {
    try (ReferenceModel reference = ReferenceModel.open(name);
        LanguageModel model = LanguageModel.load(ReferenceModel.folder(name))) {
      int[] expected = reference.values().readInts("greedy_ids");
      Tokens prompt = reference.texts().get(0);
      GenerateOptions options =
          GenerateOptions.greedy(expected.length - prompt.size()).stopAtEnd(false);
      for (boolean cached : new boolean[] {true, false}) {
        Generation generation = model.generate(prompt, options.cached(cached));
        assertThat(generation.tokens().ids())
            .as("cached " + cached)
            .containsExactly(Arrays.copyOfRange(expected, prompt.size(), expected.length));
        assertThat(generation.end()).isEqualTo(Generation.End.LENGTH);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"gemma2", "gemma3"})
  void bothGenerationsOfKeys_meanTheSame(String name) throws IOException {
    Path newer = ReferenceModel.folder(name).resolve("config-transformers5.json");
    LanguageModelConfig ofNewer = LanguageModelConfig.read(newer);
    assertThat(ofNewer)
        .isEqualTo(LanguageModelConfig.read(ReferenceModel.folder(name).resolve("config.json")));
    Files.copy(newer, folder.resolve("config.json"), StandardCopyOption.REPLACE_EXISTING);
    Files.copy(
        ReferenceModel.folder(name).resolve("model.safetensors"),
        folder.resolve("model.safetensors"));
    try (ReferenceModel reference = ReferenceModel.open(name);
        LanguageModel model = LanguageModel.load(folder);
        Trace trace =
            model.trace(reference.texts(), List.of(HookPoint.parse("logits")), List.of())) {
      assertClose("logits", trace.at("logits"), reference.floats("logits"));
    }
  }
}
