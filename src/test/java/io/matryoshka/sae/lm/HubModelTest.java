package io.matryoshka.sae.lm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.matryoshka.sae.hub.FakeHub;
import io.matryoshka.sae.hub.GatedRepositoryException;
import io.matryoshka.sae.hub.HubOptions;
import io.matryoshka.sae.support.MiniLm;
import io.matryoshka.sae.support.OwnCache;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models fetched from a server on loopback that answers as the Hub does. */
class HubModelTest {

  private static final String REPO = "owner/bookworm";
  private static final String WEIGHTS = "model.safetensors";

  @TempDir private Path folder;
  private FakeHub hub;
  private OwnCache cache;

  @BeforeEach
  void start() throws IOException {
    cache = OwnCache.in(folder.resolve("own"));
    hub = FakeHub.start();
    for (String name : new String[] {"config.json", "tokenizer.json"}) {
      hub.file(REPO, name, Files.readAllBytes(Bookworm.MODEL.resolve(name)));
    }
    hub.lfs(REPO, WEIGHTS, Bookworm.MODEL.resolve(WEIGHTS));
  }

  @AfterEach
  void stop() throws IOException {
    hub.close();
    cache.close();
  }

  private LanguageModel open(HubOptions options) throws IOException {
    return LanguageModel.fromPretrained(REPO, LanguageModelOptions.defaults().hub(options));
  }

  private HubOptions options() {
    return hub.client(folder.resolve("hub"));
  }

  private static float[] stream(LanguageModel model, int layer) {
    HookPoint point = HookPoint.residPost(layer);
    try (Trace trace = model.trace(Tokens.of(2, 3658, 952, 1099), point)) {
      return trace.at(point).toFloatArray();
    }
  }

  @Test
  void trace_fetchesOnlyTheLayersThatItNeeds() throws IOException {
    try (LanguageModel model = open(options());
        LanguageModel local = Bookworm.model()) {
      assertThat(stream(model, 1)).isEqualTo(stream(local, 1));
    }
    long size = Files.size(Bookworm.MODEL.resolve(WEIGHTS));
    assertThat(hub.bodyBytes()).isLessThan(size * 2 / 3);
    try (Stream<Path> files = Files.walk(folder.resolve("own"))) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .contains("model.layers.0.safetensors", "model.layers.1.safetensors")
          .doesNotContain("model.layers.2.safetensors");
    }
  }

  @Test
  void layersThatAreThere_areUsedOffline() throws IOException {
    float[] online;
    try (LanguageModel model = open(options())) {
      online = stream(model, 1);
      assertThat(model.tokens("building:").id(0)).isEqualTo(2);
    }
    hub.resetCounts();
    try (LanguageModel model = open(options().offline(true))) {
      assertThat(stream(model, 1)).isEqualTo(online);
      assertThat(model.tokens("building:").id(0)).isEqualTo(2);
    }
    assertThat(hub.requests()).isEmpty();
  }

  @Test
  void layerThatIsMissing_offline_isNamed() throws IOException {
    try (LanguageModel model = open(options())) {
      stream(model, 0);
    }
    try (LanguageModel model = open(options().offline(true))) {
      assertThatThrownBy(() -> stream(model, 3)).hasMessageContaining(WEIGHTS);
    }
  }

  @Test
  void smallShards_areFetchedWholeToTheCacheOfPython() throws IOException {
    Path shards = ReferenceModel.folder("gemma3-bf16-sharded");
    try (Stream<Path> files = Files.list(shards)) {
      for (Path file : files.toList()) {
        hub.lfs("owner/shards", file.getFileName().toString(), file);
      }
    }
    try (LanguageModel model =
            LanguageModel.fromPretrained(
                "owner/shards", LanguageModelOptions.defaults().hub(options()));
        LanguageModel local = LanguageModel.load(shards)) {
      HookPoint point = HookPoint.parse("logits");
      try (Trace trace = model.trace(Tokens.of(2, 5, 9), point);
          Trace expected = local.trace(Tokens.of(2, 5, 9), point)) {
        assertThat(trace.at(point).toFloatArray()).isEqualTo(expected.at(point).toFloatArray());
      }
    }
    try (Stream<Path> files = Files.walk(folder.resolve("hub"))) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .contains("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors");
    }
  }

  @Test
  void encoder_isFetchedWhole_toTheCacheOfPython_andNothingElse() throws IOException {
    String repo = "owner/encoder";
    RandomBert bert = new RandomBert(100_000, 1e-12, false); // above what small shards are
    Path local = bert.writeTo(folder.resolve("local"));
    hub.file(repo, "config.json", Files.readAllBytes(local.resolve("config.json")));
    hub.file(repo, "tokenizer.json", Files.readAllBytes(MiniLm.folder().resolve("tokenizer.json")));
    hub.lfs(repo, WEIGHTS, local.resolve(WEIGHTS));
    hub.lfs(repo, "pytorch_model.bin", new byte[100]);
    HookPoint last = HookPoint.parse("last_hidden_state");
    LanguageModelOptions options = LanguageModelOptions.defaults().hub(options());
    float[] online;
    try (LanguageModel model = LanguageModel.fromPretrained(repo, options);
        Trace trace = model.trace(model.tokens("an order"), last)) {
      online = trace.at(last).toFloatArray();
    }
    assertThat(hub.requests().stream().filter(seen -> seen.server().equals("hub")))
        .extracting(seen -> seen.path().replaceFirst(".*/", ""))
        .containsOnly(
            "config.json", "tokenizer.json", WEIGHTS, WEIGHTS + ".index.json"); // none of the last
    assertThat(hub.requests().stream().filter(seen -> seen.method().equals("GET")))
        .allMatch(seen -> seen.range().isEmpty());
    assertThat(folder.resolve("own")).doesNotExist();
    hub.resetCounts();
    options = LanguageModelOptions.defaults().hub(options().offline(true));
    try (LanguageModel model = LanguageModel.fromPretrained(repo, options);
        Trace trace = model.trace(model.tokens("an order"), last)) {
      assertThat(trace.at(last).toFloatArray()).isEqualTo(online);
    }
    assertThat(hub.requests()).isEmpty();
  }

  @Test
  void gatedRepository_namesLicencePageAndToken() {
    hub.gate(REPO);
    assertThatThrownBy(() -> open(options()))
        .isInstanceOf(GatedRepositoryException.class)
        .hasMessageContaining(REPO)
        .hasMessageContaining("HF_TOKEN");
  }
}
