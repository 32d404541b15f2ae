package io.matryoshka.sae.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HubEnvironmentTest {
  @TempDir Path home;

  private static Optional<String> token(Map<String, String> variables) {
    return new HubEnvironment(variables).token().map(Token::authorization);
  }

  private static Path cacheDir(Map<String, String> variables) {
    return new HubEnvironment(variables).cacheDir();
  }

  @Test
  void cacheDir_variables_areTakenInOrder() {
    String base = home.toString();

    assertThat(cacheDir(Map.of("HOME", base)))
        .isEqualTo(home.resolve(".cache").resolve("huggingface").resolve("hub"));
    assertThat(cacheDir(Map.of("HOME", base, "XDG_CACHE_HOME", base + "/x")))
        .isEqualTo(home.resolve("x").resolve("huggingface").resolve("hub"));
    assertThat(cacheDir(Map.of("HF_HOME", base, "XDG_CACHE_HOME", base + "/x")))
        .isEqualTo(home.resolve("hub"));
    assertThat(cacheDir(Map.of("HF_HOME", base, "HUGGINGFACE_HUB_CACHE", base + "/old")))
        .isEqualTo(home.resolve("old"));
    assertThat(
            cacheDir(Map.of("HF_HUB_CACHE", base + "/new", "HUGGINGFACE_HUB_CACHE", base + "/old")))
        .isEqualTo(home.resolve("new"));
  }

  @Test
  void cacheDir_tildeAndVariables_areExpanded() {
    String base = home.toString();

    assertThat(cacheDir(Map.of("HOME", base, "HF_HUB_CACHE", "~/c"))).isEqualTo(home.resolve("c"));
    assertThat(cacheDir(Map.of("A", base, "HF_HUB_CACHE", "$A/c"))).isEqualTo(home.resolve("c"));
    assertThat(cacheDir(Map.of("A", base, "HF_HUB_CACHE", "${A}/c"))).isEqualTo(home.resolve("c"));
  }

  @Test
  void token_sources_areTakenInOrder() throws IOException {
    Files.writeString(home.resolve("token"), "hf_file\r\n");
    String base = home.toString();

    assertThat(token(Map.of("HF_HOME", base))).contains("Bearer hf_file");
    assertThat(token(Map.of("HF_HOME", base, "HF_TOKEN", " \n"))).contains("Bearer hf_file");
    assertThat(token(Map.of("HF_HOME", base, "HUGGING_FACE_HUB_TOKEN", "hf_old")))
        .contains("Bearer hf_old");
    assertThat(
            token(
                Map.of("HF_HOME", base, "HF_TOKEN", "hf_new", "HUGGING_FACE_HUB_TOKEN", "hf_old")))
        .contains("Bearer hf_new");
    assertThat(token(Map.of("HF_HOME", base, "HF_HUB_DISABLE_IMPLICIT_TOKEN", "1"))).isEmpty();
    assertThat(token(Map.of("HF_HOME", base, "HF_TOKEN_PATH", base + "/none"))).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"1", "ON", "yes", "True"})
  void offline_trueInAnyForm_isOffline(String value) {
    assertThat(new HubEnvironment(Map.of("HF_HUB_OFFLINE", value)).offline()).isTrue();
    assertThat(new HubEnvironment(Map.of("TRANSFORMERS_OFFLINE", value)).offline()).isTrue();
    assertThat(
            new HubEnvironment(Map.of("HF_HUB_OFFLINE", "0", "TRANSFORMERS_OFFLINE", value))
                .offline())
        .isFalse();
  }

  @Test
  void timeouts_zeroOrUnset_areTenSeconds() {
    assertThat(new HubEnvironment(Map.of()).metadataTimeout()).isEqualTo(Duration.ofSeconds(10));
    assertThat(new HubEnvironment(Map.of("HF_HUB_ETAG_TIMEOUT", "0")).metadataTimeout())
        .isEqualTo(Duration.ofSeconds(10));
    assertThat(new HubEnvironment(Map.of("HF_HUB_DOWNLOAD_TIMEOUT", "3")).downloadTimeout())
        .isEqualTo(Duration.ofSeconds(3));
    HubEnvironment wrong = new HubEnvironment(Map.of("HF_HUB_ETAG_TIMEOUT", "soon"));
    assertThatThrownBy(wrong::metadataTimeout)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("HF_HUB_ETAG_TIMEOUT: expected a whole number of seconds, got 'soon'");
  }

  @Test
  void parseEndpoint_slashesAtTheEnd_areDropped() {
    assertThat(HubEnvironment.parseEndpoint("https://mirror.example/hf//"))
        .hasToString("https://mirror.example/hf");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"mirror.example", "ftp://mirror.example", "https://me:secret@mirror.example", "%"})
  void parseEndpoint_notAServer_isRefusedWithoutShowingIt(String text) {
    assertThatThrownBy(() -> HubEnvironment.parseEndpoint(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("expected http(s)://host")
        .hasMessageNotContaining("secret");
  }
}
