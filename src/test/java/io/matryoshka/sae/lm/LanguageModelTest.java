package io.matryoshka.sae.lm;

import static io.matryoshka.sae.lm.ReferenceModel.assertClose;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.matryoshka.sae.NativeMemory;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.safetensors.SafetensorsException;
import io.matryoshka.sae.support.ScaledDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a model promises beyond its arithmetic: batches, interventions, generation, bad input. */
class LanguageModelTest {

  private static final HookPoint LAST = HookPoint.residPost(7);

  @TempDir private Path folder;

  private static LanguageModel bookworm() throws IOException {
    return Bookworm.model();
  }

  private void copy(String name) throws IOException {
    try (Stream<Path> files = Files.list(ReferenceModel.folder(name))) {
      for (Path file : files.toList()) {
        Files.copy(file, folder.resolve(file.getFileName()));
      }
    }
  }

  private void edit(String from, String to) throws IOException {
    Path config = folder.resolve("config.json");
    String text = Files.readString(config);
    assertThat(text).contains(from);
    Files.writeString(config, text.replace(from, to));
  }

  // ---- batches ----

  @Test
  void textAlone_orAmongOthersInAnyOrder_hasTheSameActivations() throws IOException {
    List<Tokens> texts = Bookworm.tokens();
    List<Tokens> mixed = new ArrayList<>(texts);
    Collections.shuffle(mixed, new Random(3));
    try (LanguageModel model = bookworm();
        Trace together = model.trace(mixed, List.of(LAST), List.of())) {
      int[] offsets = together.rowOffsets();
      for (Tokens text : texts) {
        int at = mixed.indexOf(text);
        try (Trace alone = model.trace(text, LAST)) {
          NDArray rows = together.at(LAST).get(offsets[at] + ":" + offsets[at + 1]);
          assertClose(text.toString(), rows, alone.at(LAST).toFloatArray());
        }
      }
    }
  }

  @Test
  void trace_ofALowLayer_isThatOfAllLayers() throws IOException {
    Tokens text = Bookworm.tokens().get(0);
    HookPoint low = HookPoint.parse("blocks.1.attn.hook_z");
    try (LanguageModel model = bookworm();
        Trace one = model.trace(text, low);
        Trace all = model.trace(text, LAST, low, HookPoint.parse("hook_embed"))) {
      assertThat(one.at(low).toFloatArray()).isEqualTo(all.at(low).toFloatArray());
      assertThat(all.hookPoints()).hasSize(3);
    }
  }

  @Test
  void longText_inChunks_equalsGeneratedTokenByToken() throws IOException {
    int[] ids = new Random(5).ints(600, 3, 4096).toArray();
    ids[0] = 2;
    Tokens text = Tokens.of(ids);
    try (LanguageModel model = bookworm();
        Trace trace = model.trace(text, HookPoint.parse("logits"));
        NDManager manager = NDManager.newBaseManager()) {
      int best = (int) trace.at("logits").get(599).argMax().getLong();
      GenerateOptions options = GenerateOptions.greedy(2).stopAtEnd(false);
      int[] cached = model.generate(text, options).tokens().ids();
      assertThat(cached[0]).isEqualTo(best);
      assertThat(model.generate(text, options.cached(false)).tokens().ids()).isEqualTo(cached);
      NDArray logits = model.logits(text, manager);
      assertThat(logits.toFloatArray()).isEqualTo(trace.at("logits").toFloatArray());
    }
  }

  @Test
  void normalizedHook_timesItsWeights_isTheNormsOutput() throws IOException {
    HookPoint plain = HookPoint.parse("blocks.2.ln2.hook_normalized");
    HookPoint input = HookPoint.parse("blocks.2.hook_resid_mid");
    try (LanguageModel model = bookworm();
        Trace trace = model.trace(Bookworm.tokens().get(0), plain, input)) {
      float[] x = trace.at(input).get(3).toFloatArray();
      double square = 0;
      for (float v : x) {
        square += (double) v * v / x.length;
      }
      float[] expected = new float[x.length];
      for (int i = 0; i < x.length; i++) {
        expected[i] = (float) (x[i] / Math.sqrt(square + 1e-6));
      }
      assertClose("normalized", trace.at(plain).get(3), expected);
    }
  }

  // ---- interventions ----

  @Test
  void ablation_equalsSubtractingTheDecoderRow() throws IOException {
    Tokens text = Bookworm.tokens().get(0);
    try (LanguageModel model = bookworm();
        SAE sae = SAE.load(Bookworm.FOLDER.resolve(Bookworm.SAE_ID));
        Trace clean = model.trace(text, Bookworm.HOOK);
        Trace ablated =
            model.trace(
                List.of(text),
                List.of(Bookworm.HOOK),
                List.of(Intervention.ablateRange(sae, 128, sae.dSae()).skipBos()))) {
      NDArray x = clean.at(Bookworm.HOOK);
      float[][] nested = sae.reconstructions(sae.encodeSparse(x));
      float[] before = x.toFloatArray();
      float[] expected = before.clone();
      for (int i = 128; i < expected.length; i++) {
        expected[i] += nested[1][i] - nested[3][i];
      }
      assertClose("ablated", ablated.at(Bookworm.HOOK), expected);
    }
  }

  @Test
  void severalInterventions_workInOrder_atTheirPositions() throws IOException {
    Tokens text = Tokens.of(2, 100, 200, 300);
    HookPoint point = HookPoint.parse("blocks.2.hook_mlp_out");
    try (LanguageModel model = bookworm();
        Trace trace =
            model.trace(
                List.of(text),
                List.of(point),
                List.of(
                    Intervention.at(point, x -> x.onesLike()).positions(1, 3),
                    Intervention.at(point, x -> x.mul(5)).positions(2, 9)))) {
      assertThat(trace.at(point).get(1).toFloatArray()).containsOnly(1f);
      assertThat(trace.at(point).get(2).toFloatArray()).containsOnly(5f);
      assertThat(trace.at(point).get(0).toFloatArray()).doesNotContain(1f, 5f);
    }
  }

  @Test
  void editOfAnotherShape_isRefused() throws IOException {
    try (LanguageModel model = bookworm()) {
      Intervention wrong = Intervention.at(LAST, x -> x.get(":, :3"));
      assertThatThrownBy(() -> model.losses(Tokens.of(2, 3), wrong))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("blocks.7.hook_resid_post")
          .hasMessageContaining("[2, 128]")
          .hasMessageContaining("[2, 3]");
    }
  }

  // ---- generation ----

  @Test
  void sampling_withASeed_isRepeatable_andLimitsHold() throws IOException {
    Tokens prompt = Bookworm.tokens().get(2).range(0, 6);
    try (LanguageModel model = bookworm()) {
      GenerateOptions options = GenerateOptions.sampling(15, 1.0, 7);
      int[] first = model.generate(prompt, options).tokens().ids();
      assertThat(model.generate(prompt, options).tokens().ids()).isEqualTo(first);
      assertThat(model.generate(prompt, GenerateOptions.sampling(15, 1.0, 8)).tokens().ids())
          .isNotEqualTo(first);
      int[] greedy = model.generate(prompt, GenerateOptions.greedy(15)).tokens().ids();
      assertThat(model.generate(prompt, options.topK(1)).tokens().ids()).isEqualTo(greedy);
      assertThat(model.generate(prompt, options.topP(1e-9)).tokens().ids()).isEqualTo(greedy);
    }
  }

  @Test
  void stopIdAndStopText_endGeneration_andTheListenerHearsAll() throws IOException {
    Tokens prompt = Bookworm.tokens().get(0).range(0, 10);
    StringBuilder heard = new StringBuilder();
    try (LanguageModel model = bookworm()) {
      GenerateOptions options = GenerateOptions.greedy(30).stopAtEnd(false);
      Generation all = model.generate(prompt, options.listener((id, text) -> heard.append(text)));
      assertThat(heard.toString()).isEqualTo(all.text());
      int third = all.tokens().id(2);
      Generation stopped = model.generate(prompt, options.stopIds(Set.of(third)));
      assertThat(stopped.end()).isEqualTo(Generation.End.STOP_TOKEN);
      assertThat(stopped.tokens().size()).isLessThanOrEqualTo(3);
      String stop = all.text().substring(4, 6);
      Generation cut = model.generate(prompt, options.stopTexts(List.of(stop)));
      assertThat(cut.end()).isEqualTo(Generation.End.STOP_TEXT);
      assertThat(cut.text()).isEqualTo(all.text().substring(0, all.text().indexOf(stop)));
    }
  }

  @Test
  void generation_endsAtTheLastPosition() throws IOException {
    copy("gemma3");
    try (LanguageModel model = LanguageModel.load(folder)) {
      int[] ids = new Random(1).ints(62, 3, 97).toArray();
      Generation generation =
          model.generate(Tokens.of(ids), GenerateOptions.greedy(10).stopAtEnd(false));
      assertThat(generation.tokens().size()).isEqualTo(2);
      assertThat(generation.end()).isEqualTo(Generation.End.POSITIONS);
      assertThat(generation.text()).isEmpty();
    }
  }

  // ---- bad input ----

  @Test
  void tokens_thatDoNotFit_areRefused() throws IOException {
    copy("gemma3");
    try (LanguageModel model = LanguageModel.load(folder)) {
      assertThatThrownBy(() -> model.trace(Tokens.of(), LAST)).hasMessageContaining("empty");
      assertThatThrownBy(() -> model.trace(Tokens.of(2, 97), LAST))
          .hasMessageContaining("token id 97 at position 1")
          .hasMessageContaining("0 to 96");
      assertThatThrownBy(() -> model.trace(Tokens.of(new int[65]), LAST))
          .hasMessageContaining("65 tokens")
          .hasMessageContaining("at most 64");
      assertThatThrownBy(() -> model.trace(Tokens.of(2), HookPoint.residPost(8)))
          .hasMessageContaining("layers 0 to 7");
      assertThatThrownBy(() -> model.tokens("a")).hasMessageContaining("tokenizer.json");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"model_type\": \"gemma3_text\" | \"model_type\": \"llama\" | model_type",
        "\"hidden_activation\": \"gelu_pytorch_tanh\" | \"hidden_activation\": \"silu\" | silu",
        "\"rope_scaling\": null | \"rope_scaling\": {\"rope_type\": \"yarn\"} | yarn",
        "\"attention_bias\": false | \"attention_bias\": true | attention_bias",
        "\"num_hidden_layers\": 8 | \"num_hidden_layers\": 0 | num_hidden_layers",
        "\"hidden_size\": 48 | \"hidden_size\": 64 | embed_tokens",
        "\"num_hidden_layers\": 8 | \"num_hidden_layers\": 9 | layers.8",
        "\"tie_word_embeddings\": true | \"tie_word_embeddings\": false | lm_head.weight"
      })
  void configuration_thatIsNotUnderstood_isRefusedByName(String from, String to, String named)
      throws IOException {
    copy("gemma3");
    edit(from, to);
    assertThatThrownBy(() -> LanguageModel.load(folder))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining(named)
        .hasMessageContaining(folder.toString());
  }

  @Test
  void missingShard_isNamed() throws IOException {
    copy("gemma3-bf16-sharded");
    Files.delete(folder.resolve("model-00002-of-00002.safetensors"));
    assertThatThrownBy(() -> LanguageModel.load(folder))
        .isInstanceOf(NoSuchFileException.class)
        .hasMessageContaining("model-00002-of-00002.safetensors");
  }

  @Test
  void truncatedWeights_areRefusedAtLoading() throws IOException {
    copy("gemma2");
    Path weights = folder.resolve("model.safetensors");
    byte[] bytes = Files.readAllBytes(weights);
    Files.write(weights, java.util.Arrays.copyOf(bytes, bytes.length - 100));
    assertThatThrownBy(() -> LanguageModel.load(folder)).isInstanceOf(SafetensorsException.class);
  }

  @Test
  void closedModel_refusesCalls() throws IOException {
    LanguageModel model = bookworm();
    model.close();
    model.close();
    assertThatThrownBy(() -> model.trace(Tokens.of(2), LAST))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
  }

  // ---- interruption ----

  /** Interrupts the thread of the pass at a place. */
  private static Intervention interruptAt(HookPoint point) {
    return Intervention.at(
        point,
        x -> {
          Thread.currentThread().interrupt();
          return x;
        });
  }

  @Test
  void interruptedPass_endsBeforeTheNextLayer() throws IOException {
    Tokens tokens = Bookworm.tokens().get(0);
    AtomicBoolean nextLayer = new AtomicBoolean();
    Intervention heard =
        Intervention.at(
            HookPoint.residPost(3),
            x -> {
              nextLayer.set(true);
              return x;
            });
    try (LanguageModel model = bookworm();
        NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
      TokenLosses before = model.losses(tokens);
      NativeMemory.Live live = NativeMemory.live(manager);
      Intervention interrupt = interruptAt(HookPoint.residPost(2));
      assertThatThrownBy(() -> model.losses(tokens, interrupt, heard))
          .isInstanceOf(CancellationException.class);
      assertThat(Thread.interrupted()).isTrue();
      assertThatThrownBy(() -> model.trace(List.of(tokens), List.of(LAST), List.of(interrupt)))
          .isInstanceOf(CancellationException.class);
      assertThat(Thread.interrupted()).isTrue();
      assertThat(nextLayer).isFalse();
      assertThat(NativeMemory.live(manager)).isEqualTo(live);
      assertThat(model.losses(tokens).crossEntropy()).isEqualTo(before.crossEntropy());
    }
  }

  @Test
  void interruptedLosses_endBeforeTheVocabularyIsRead() throws IOException {
    Tokens tokens = Bookworm.tokens().get(0);
    try (LanguageModel model = bookworm()) {
      Intervention interrupt = interruptAt(HookPoint.parse("last_hidden_state"));
      assertThatThrownBy(() -> model.losses(tokens, interrupt))
          .isInstanceOf(CancellationException.class);
      assertThat(Thread.interrupted()).isTrue();
    }
  }

  @Test
  void interruptedRunOfLosses_goesOnFromItsCheckpoint() throws IOException {
    List<Tokens> texts = Bookworm.tokens().subList(0, 3);
    Path checkpoint = folder.resolve("losses.json");
    try (LanguageModel model = bookworm();
        SAE sae = SAE.load(Bookworm.FOLDER.resolve(Bookworm.SAE_ID))) {
      SpliceLoss whole = new SpliceLossRun(model, sae).run(texts);
      List<Tokens> done = new ArrayList<>();
      SpliceLossRun stopped =
          new SpliceLossRun(model, sae)
              .checkpoint(checkpoint)
              .listener(
                  (text, losses) -> {
                    done.add(text);
                    if (done.size() == 2) {
                      Thread.currentThread().interrupt();
                    }
                  });
      assertThatThrownBy(() -> stopped.run(texts)).isInstanceOf(CancellationException.class);
      assertThat(Thread.interrupted()).isTrue();
      assertThat(done).hasSize(2);
      assertThat(checkpoint).exists();
      SpliceLoss resumed = new SpliceLossRun(model, sae).checkpoint(checkpoint).run(texts);
      assertThat(resumed.json()).isEqualTo(whole.json());
    }
  }

  @Test
  void checkpointOfLosses_ofAnotherDecoderOrVersion_isRefused() throws IOException {
    List<Tokens> texts = Bookworm.tokens().subList(0, 1);
    Path checkpoint = folder.resolve("losses.json");
    Path first = Bookworm.FOLDER.resolve(Bookworm.SAE_ID);
    Path second = ScaledDecoder.copy(first, folder.resolve("second"), 5, 0.5f);
    try (LanguageModel model = bookworm();
        SAE sae = SAE.load(first);
        SAE other = SAE.load(second)) {
      SpliceLoss losses = new SpliceLossRun(model, sae).checkpoint(checkpoint).run(texts);
      assertThat(new SpliceLossRun(model, sae).checkpoint(checkpoint).run(texts).json())
          .isEqualTo(losses.json());
      assertThatThrownBy(() -> new SpliceLossRun(model, other).checkpoint(checkpoint).run(texts))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("sae.decoder_sha256 was");
      Files.writeString(checkpoint, "{\"run\": \"01234567\", \"texts\": 1}");
      assertThatThrownBy(() -> new SpliceLossRun(model, sae).checkpoint(checkpoint).run(texts))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("this version of the program");
    }
  }

  @Test
  void runOfLosses_interruptedWhileItKeepsWhatIsDone_endsAsElsewhere() throws IOException {
    List<Tokens> texts = Bookworm.tokens().subList(0, 2);
    Path checkpoint = folder.resolve("losses.json");
    try (LanguageModel model = bookworm();
        SAE sae = SAE.load(Bookworm.FOLDER.resolve(Bookworm.SAE_ID))) {
      SpliceLossRun run =
          new SpliceLossRun(model, sae)
              .checkpoint(checkpoint)
              .listener((text, losses) -> Thread.currentThread().interrupt());
      assertThatThrownBy(() -> run.run(texts)).isInstanceOf(CancellationException.class);
      assertThat(Thread.interrupted()).isTrue();
      assertThat(folder).isEmptyDirectory();
    }
  }
}
