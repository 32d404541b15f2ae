package io.matryoshka.sae.internal.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.matryoshka.sae.hub.FakeHub;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DownloadCommandTest {

  private static final String REPO = "owner/saes";
  private static final int LAYERS = 3;

  @TempDir private Path folder;
  private FakeHub hub;
  private Path table;

  @BeforeEach
  void publish() throws IOException {
    hub = FakeHub.start();
    StringBuilder saes = new StringBuilder();
    for (int layer = 0; layer < LAYERS; layer++) {
      String name = "layer" + layer;
      hub.file(REPO, name + "/cfg.json", read("cfg.json"));
      hub.lfs(REPO, name + "/sae_weights.safetensors", read("sae_weights.safetensors"));
      saes.append(layer == 0 ? "" : ",")
          .append("{\"id\": \"%s\", \"path\": \"%s\", \"layer\": %d,".formatted(name, name, layer))
          .append("\"hook_point\": \"h\"}");
    }
    hub.file(REPO, "layer0/sparsity.safetensors", read("sparsity.safetensors"));
    table = folder.resolve("table.json");
    Files.writeString(
        table,
        """
        {"format_version": 1, "release": "mine", "description": "Mine.", "model": "m",
         "location": {"type": "hub", "repo": "%s"}, "d_in": 384, "d_sae": 2048,
         "widths": [32, 2048], "saes": [%s]}
        """
            .formatted(REPO, saes));
  }

  private static byte[] read(String name) throws IOException {
    return Files.readAllBytes(Samples.SAE_FOLDER.resolve(name));
  }

  @AfterEach
  void stop() throws IOException {
    hub.close();
  }

  private Path cache() {
    return folder.resolve("cache");
  }

  private Cli.Result run(Object... args) {
    List<Object> all = new ArrayList<>(List.of(args));
    all.addAll(List.of("--endpoint", hub.endpoint(), "--cache-dir", cache()));
    all.addAll(args[1].equals("mine") ? List.of("--registry", table) : List.of());
    return Cli.run(all.toArray());
  }

  @Test
  void download_one_isCachedAndLoads() throws IOException {
    Cli.Result result = run("download", "mine", "layer0");
    assertThat(result.err()).isEmpty();
    assertThat(result.code()).isZero();
    assertThat(result.out()).startsWith("layer0  " + cache()).hasLineCount(1);
    long requests = hub.requests().size();
    Cli.Result info = run("info", "mine", "layer0", "--offline", "--json");
    assertThat(info.json().get("at_hand").booleanValue()).isTrue();
    assertThat(info.json().at("/log10_sparsity/never_fired").intValue()).isEqualTo(19);
    assertThat(hub.requests()).hasSize((int) requests);
  }

  @Test
  void download_json_namesTheFolders() throws IOException {
    JsonNode saes = run("download", "mine", "layer2", "layer1", "--json").json().get("saes");
    assertThat(saes.findValuesAsText("id")).containsExactly("layer2", "layer1");
    for (JsonNode sae : saes) {
      Path path = Path.of(sae.get("path").asText());
      assertThat(path.resolve("sae_weights.safetensors"))
          .hasBinaryContent(read("sae_weights.safetensors"));
      assertThat(path.resolve("cfg.json")).exists();
    }
  }

  @Test
  void download_layers_takesThoseOnly() throws IOException {
    JsonNode saes = run("download", "mine", "--layers", "1-9", "--json").json().get("saes");
    assertThat(saes.findValuesAsText("id")).containsExactly("layer1", "layer2");
  }

  @Test
  void download_all_takesEachOnce() {
    assertThat(run("download", "mine", "--all").out()).hasLineCount(3);
    long bytes = hub.bodyBytes();
    assertThat(run("download", "mine", "--all").code()).isZero();
    assertThat(hub.bodyBytes()).isEqualTo(bytes);
  }

  @Test
  void download_repository_takesFolders() {
    assertThat(run("download", REPO, "layer1").code()).isZero();
    Cli.Result none = run("download", REPO);
    assertThat(none.code()).isEqualTo(2);
    assertThat(none.err()).contains("folders of SAEs").hasLineCount(1);
  }

  @Test
  void download_prefix_fetchesLess() {
    assertThat(run("download", "mine", "layer0", "--prefix", 32).code()).isZero();
    assertThat(hub.bodyBytes()).isLessThan(7_000_000);
  }

  @Test
  void download_severalChoices_areRefused() {
    for (Object[] args :
        new Object[][] {
          {"download", "mine", "layer0", "--all"},
          {"download", "mine", "--layers", "0", "--all"},
          {"download", "mine"},
          {"download", "mine", "--layers", "7-8"}
        }) {
      Cli.Result result = run(args);
      assertThat(result.code()).isEqualTo(2);
      assertThat(result.err()).hasLineCount(1);
    }
    assertThat(hub.requests()).isEmpty();
  }

  @Test
  void download_unknownSae_isNotFoundBeforeAnyRequest() {
    Cli.Result result = run("download", "mine", "layer1", "layer9");
    assertThat(result.code()).isEqualTo(3);
    assertThat(result.err()).contains("layer9").hasLineCount(1);
    assertThat(hub.requests()).isEmpty();
  }

  @Test
  void download_gated_isRefusedWithThePage() {
    hub.gate(REPO);
    Cli.Result result = run("download", "mine", "layer0");
    assertThat(result.code()).isEqualTo(5);
    assertThat(result.err()).contains("accept its terms", REPO).hasLineCount(1);
  }

  @Test
  void download_offline_isUnavailable() {
    Cli.Result result = run("download", "mine", "layer0", "--offline");
    assertThat(result.code()).isEqualTo(6);
    assertThat(result.err()).hasLineCount(1);
    assertThat(hub.requests()).isEmpty();
  }

  @Test
  void download_missingRepository_isNotFound() {
    Cli.Result result = run("download", "owner/none", "a");
    assertThat(result.code()).isEqualTo(3);
    assertThat(result.err()).contains("owner/none").hasLineCount(1);
  }

  @Test
  void download_bundled_saysThereIsNothingToDo() {
    Cli.Result result = Cli.run("download", Samples.RELEASE);
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err()).contains("nothing to download").hasLineCount(1);
  }

  @Test
  void cache_afterDownload_listsAndVerifies() throws IOException {
    run("download", "mine", "layer0");
    Cli.Result list = Cli.run("cache", "list", "--cache-dir", cache());
    assertThat(list.out()).contains(REPO + " (model), 6.3 MB", "layer0/sae_weights.safetensors");
    JsonNode repos = Cli.run("cache", "list", "--cache-dir", cache(), "--json").json().get("repos");
    assertThat(repos.get(0).at("/revisions/0/files")).hasSize(3);
    Cli.Result verify = Cli.run("cache", "verify", "--cache-dir", cache());
    assertThat(verify.code()).isZero();
    assertThat(verify.out()).contains("3 files verified", "0 problems");
  }

  @Test
  void cacheVerify_corruptFile_isAProblem() throws IOException {
    run("download", "mine", "layer0");
    JsonNode repos = Cli.run("cache", "list", "--cache-dir", cache(), "--json").json().get("repos");
    Path config = Path.of(repos.get(0).at("/revisions/0/files/0/path").asText());
    Files.writeString(config.toRealPath(), "{}");
    Cli.Result text = Cli.run("cache", "verify", "--cache-dir", cache());
    assertThat(text.code()).isEqualTo(1);
    assertThat(text.out()).contains("corrupt: ", "1 problems");
    JsonNode json = Cli.run("cache", "verify", REPO, "--cache-dir", cache(), "--json").json();
    assertThat(json.get("sound").booleanValue()).isFalse();
    assertThat(json.at("/problems/0/kind").asText()).isEqualTo("corrupt");
  }

  @Test
  void cache_empty_saysSo() throws IOException {
    assertThat(Cli.run("cache", "list", "--cache-dir", cache()).out())
        .isEqualTo("nothing is cached in " + cache() + "\n");
    assertThat(Cli.run("cache", "path", "--cache-dir", cache()).out()).isEqualTo(cache() + "\n");
    JsonNode path = Cli.run("cache", "path", "--cache-dir", cache(), "--json").json();
    assertThat(path.get("path").asText()).isEqualTo(cache().toString());
    assertThat(Cli.run("cache", "verify", "owner/none", "--cache-dir", cache()).code())
        .isEqualTo(2);
  }

  @Test
  void cache_alone_namesItsCommands() {
    Cli.Result result = Cli.run("cache");
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err()).contains("list", "verify", "path").hasLineCount(1);
  }

  @Test
  void repositoryWithoutAFolder_isItsTop() throws IOException {
    for (String name : List.of("cfg.json", "sparsity.safetensors")) {
      hub.file("owner/one", name, read(name));
    }
    hub.lfs("owner/one", "sae_weights.safetensors", read("sae_weights.safetensors"));
    Cli.Result downloaded = run("download", "owner/one");
    assertThat(downloaded.err()).isEmpty();
    assertThat(downloaded.out()).startsWith("owner/one  " + cache());
    for (String command : List.of("info", "top", "evaluate", "explore")) {
      List<Object> args = new ArrayList<>(List.of(command, "owner/one", "--offline"));
      if (!command.equals("info")) {
        args.addAll(List.of("-i", Samples.ACTIVATIONS));
      }
      Cli.Result result = run(args.toArray());
      assertThat(result.err()).as(command).doesNotContain("xception");
      assertThat(result.code()).as(command).isZero();
    }
  }

  @Test
  void top_repositoryWithNoneAtItsTop_asksForTheFolder() {
    Cli.Result result = run("top", REPO, "-i", Samples.ACTIVATIONS);
    assertThat(result.code()).isEqualTo(ExitCode.NOT_FOUND.code());
    assertThat(result.err()).contains("name the folder of the SAE after it").hasLineCount(1);
  }
}
