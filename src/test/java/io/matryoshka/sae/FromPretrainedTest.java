package io.matryoshka.sae;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.matryoshka.sae.config.UnsupportedArchitectureException;
import io.matryoshka.sae.hub.BadTokenException;
import io.matryoshka.sae.hub.EntryNotFoundException;
import io.matryoshka.sae.hub.FakeHub;
import io.matryoshka.sae.hub.GatedRepositoryException;
import io.matryoshka.sae.hub.NotCachedException;
import io.matryoshka.sae.hub.RepositoryNotFoundException;
import io.matryoshka.sae.hub.RevisionNotFoundException;
import io.matryoshka.sae.registry.ReleaseRegistry;
import io.matryoshka.sae.registry.UnknownReleaseException;
import io.matryoshka.sae.registry.UnknownSaeException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** From a name to a running SAE, over a server that behaves as the Hub does. */
class FromPretrainedTest {

  private static final String REPO = "owner/saes";
  private static final String FOLDER = "layer-3/width-24";
  private static final float[] X = {1, -1, 2, 0.5f, 0, 1, -2, 1};

  @TempDir Path cache;
  @TempDir Path tables;
  private FakeHub hub;

  @BeforeEach
  void startHub() throws IOException {
    hub = FakeHub.start();
    publish("jumprelu");
  }

  @AfterEach
  void stopHub() throws IOException {
    assertThat(hub.tokenLeaks()).isEmpty();
    hub.close();
  }

  private void publish(String name) throws IOException {
    hub.file(REPO, FOLDER + "/cfg.json", bytes(name, "cfg.json"));
    hub.lfs(REPO, FOLDER + "/sae_weights.safetensors", bytes(name, "sae_weights.safetensors"));
  }

  private static byte[] bytes(String name, String file) throws IOException {
    return Files.readAllBytes(DemoData.path("/config/cases/" + name).resolve(file));
  }

  private LoadOptions options() {
    return LoadOptions.defaults().endpoint(hub.endpoint()).cacheDir(cache);
  }

  /** The bundled registry and one release in the repository. */
  private ReleaseRegistry registry() throws IOException {
    Path table = tables.resolve("mine.json");
    Files.writeString(
        table,
        """
        {
          "format_version": 1,
          "release": "my-release",
          "description": "One SAE.",
          "model": "none",
          "location": {"type": "hub", "repo": "owner/saes"},
          "d_in": 8,
          "d_sae": 24,
          "widths": [4, 10, 24],
          "saes": [{"id": "layer3", "path": "layer-3/width-24", "hook_point": "blocks.3.hook_z"}]
        }
        """);
    return ReleaseRegistry.bundled().withFile(table);
  }

  private static void assertIs(SAE sae, String name) throws IOException {
    try (SAE expected = CaseFolder.load(name, LoadOptions.defaults())) {
      assertThat(sae.config().architecture()).isEqualTo(expected.config().architecture());
      assertThat(sae.encodeSparse(X).activations())
          .isEqualTo(expected.encodeSparse(X).activations());
      assertThat(sae.decode(sae.encodeSparse(X)))
          .isEqualTo(expected.decode(expected.encodeSparse(X)));
    }
  }

  @Test
  void fromPretrained_repository_downloadsOnceAndRunsOffline() throws IOException {
    try (SAE sae = SAE.fromPretrained(REPO, FOLDER, options())) {
      assertIs(sae, "jumprelu");
      assertThat(sae.widths()).containsExactly(24);
      assertThat(sae.logSparsity()).isEmpty();
    }
    long size =
        bytes("jumprelu", "cfg.json").length + bytes("jumprelu", "sae_weights.safetensors").length;
    assertThat(hub.bodyBytes()).isEqualTo(size);
    hub.resetCounts();

    SAE.fromPretrained(REPO, FOLDER, options()).close();
    assertThat(hub.bodyBytes()).isZero();

    hub.resetCounts();
    try (SAE sae = SAE.fromPretrained(REPO, FOLDER, options().offline(true))) {
      assertIs(sae, "jumprelu");
    }
    assertThat(hub.requests()).isEmpty();
  }

  @Test
  void fromPretrained_hubGone_usesTheCache() throws IOException {
    SAE.fromPretrained(REPO, FOLDER, options()).close();
    hub.gate(REPO);

    try (SAE sae = SAE.fromPretrained(REPO, FOLDER, options())) {
      assertIs(sae, "jumprelu");
    }
  }

  @Test
  void fromPretrained_forced_fetchesAgain() throws IOException {
    SAE.fromPretrained(REPO, FOLDER, options()).close();
    hub.resetCounts();

    SAE.fromPretrained(REPO, FOLDER, options().forceDownload(true)).close();

    assertThat(hub.bodyBytes()).isGreaterThan(bytes("jumprelu", "sae_weights.safetensors").length);
  }

  @Test
  void fromPretrained_revision_isThatOfTheCaller() throws IOException {
    String first = hub.commit(REPO, "main");
    publish("topk");

    try (SAE old = SAE.fromPretrained(REPO, FOLDER, options().revision(first));
        SAE current = SAE.fromPretrained(REPO, FOLDER, options())) {
      assertIs(old, "jumprelu");
      assertIs(current, "topk");
    }
    assertThatThrownBy(() -> SAE.fromPretrained(REPO, FOLDER, options().revision("no-such-branch")))
        .isInstanceOf(RevisionNotFoundException.class)
        .hasMessageContaining("no-such-branch");
  }

  @Test
  void fromPretrained_registryEntry_bringsItsWidths() throws IOException {
    LoadOptions options = options().registry(registry());

    try (SAE sae = SAE.fromPretrained("my-release", "layer3", options);
        SAE prefix = SAE.fromPretrained("my-release", "layer3", options.prefix(6))) {
      assertIs(sae, "jumprelu");
      assertThat(sae).isInstanceOf(BatchTopKSae.class);
      assertThat(prefix).isInstanceOf(BatchTopKSae.class);
      assertThat(sae.widths()).containsExactly(4, 10, 24);
      assertThat(prefix.widths()).containsExactly(4, 6);
    }
  }

  @Test
  void fromPretrained_unknownNames_nameThoseNearby() throws IOException {
    LoadOptions options = options().registry(registry());

    assertThatThrownBy(() -> SAE.fromPretrained("my-realease", "layer3", options))
        .isInstanceOf(UnknownReleaseException.class)
        .hasMessageContaining("my-release");
    assertThatThrownBy(() -> SAE.fromPretrained("my-release", "layer4", options))
        .isInstanceOf(UnknownSaeException.class)
        .hasMessageContaining("layer3");
    assertThat(hub.requests()).isEmpty();
  }

  @Test
  void fromPretrained_errorsOfTheHub_sayWhatToDo() throws IOException {
    assertThatThrownBy(() -> SAE.fromPretrained(REPO, "layer-4", options()))
        .isInstanceOf(EntryNotFoundException.class)
        .hasMessageContaining("layer-4/cfg.json");
    assertThatThrownBy(() -> SAE.fromPretrained("owner/none", FOLDER, options()))
        .isInstanceOf(RepositoryNotFoundException.class)
        .hasMessageContaining("owner/none")
        .hasMessageContaining("HF_TOKEN");
    assertThatThrownBy(() -> SAE.fromPretrained(REPO, FOLDER, options().offline(true)))
        .isInstanceOf(NotCachedException.class)
        .hasMessageContaining("unset HF_HUB_OFFLINE or download it first");
    hub.gate(REPO);
    assertThatThrownBy(() -> SAE.fromPretrained(REPO, FOLDER, options()))
        .isInstanceOf(GatedRepositoryException.class)
        .hasMessageContaining(REPO);
  }

  @Test
  void fromPretrained_token_opensAPrivateRepository() throws IOException {
    hub.requireToken(REPO, "hf_right");

    assertThatThrownBy(() -> SAE.fromPretrained(REPO, FOLDER, options().token("hf_wrong")))
        .isInstanceOf(BadTokenException.class)
        .message()
        .doesNotContain("hf_wrong");
    try (SAE sae = SAE.fromPretrained(REPO, FOLDER, options().token("hf_right"))) {
      assertIs(sae, "jumprelu");
    }
  }

  @Test
  void fromPretrained_otherArchitecture_fetchesNoWeights() throws IOException {
    String config = new String(bytes("jumprelu", "cfg.json"), StandardCharsets.UTF_8);
    hub.file(
        "owner/temporal",
        "cfg.json",
        config.replace("\"jumprelu\"", "\"temporal\"").getBytes(StandardCharsets.UTF_8));

    assertThatThrownBy(() -> SAE.fromPretrained("owner/temporal", "", options()))
        .isInstanceOf(UnsupportedArchitectureException.class);
    assertThat(hub.requests()).noneMatch(r -> r.path().endsWith("sae_weights.safetensors"));
  }

  /** A copy of another tool may be short behind a valid link. */
  @ParameterizedTest
  @ValueSource(strings = {"sae_weights.safetensors", "cfg.json"})
  void fromPretrained_shortFileInTheCache_isFetchedAgain(String name) throws IOException {
    SAE.fromPretrained(REPO, FOLDER, options()).close();
    String commit = hub.commit(REPO, "main");
    Path file =
        cache.resolve("models--" + REPO.replace("/", "--") + "/snapshots/" + commit + "/" + FOLDER);
    Path blob = file.resolve(name).toRealPath();
    for (String revision : List.of("main", commit)) {
      byte[] whole = Files.readAllBytes(blob);
      Files.write(blob, Arrays.copyOf(whole, whole.length / 2));
      LoadOptions options = options().revision(revision);
      assertThatThrownBy(() -> SAE.fromPretrained(REPO, FOLDER, options.offline(true)))
          .hasMessageContaining("cache verify")
          .hasMessageContaining("--force-download");
      try (SAE sae = SAE.fromPretrained(REPO, FOLDER, options)) {
        assertIs(sae, "jumprelu");
      }
      assertThat(blob).hasBinaryContent(whole);
    }
  }

  @Test
  void fromPretrained_topOfARepository_needsNoFolder() throws IOException {
    hub.file("owner/one", "cfg.json", bytes("jumprelu", "cfg.json"));
    hub.lfs("owner/one", "sae_weights.safetensors", bytes("jumprelu", "sae_weights.safetensors"));
    try (SAE sae = SAE.fromPretrained("owner/one", "", options())) {
      assertIs(sae, "jumprelu");
    }
  }
}
