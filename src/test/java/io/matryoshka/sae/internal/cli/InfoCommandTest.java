package io.matryoshka.sae.internal.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class InfoCommandTest {

  @Test
  void info_bundled_showsRegistryAndFiles() {
    Cli.Result result = Cli.run("info", Samples.RELEASE, Samples.SAE_ID);
    assertThat(result.code()).isZero();
    assertThat(result.err()).isEmpty();
    assertThat(result.out())
        .startsWith(Samples.RELEASE + " " + Samples.SAE_ID + "\n")
        .containsPattern("Matryoshka widths +\\[32, 128, 512, 2048]")
        .containsPattern("threshold +0\\.4821 / 0\\.4821 / 0\\.4821")
        .containsPattern("latents that never fired +19 of 2048")
        .containsPattern("memory for weights +6\\.3 MB");
  }

  @Test
  void info_bundledJson_hasEveryFact() throws IOException {
    JsonNode info = Cli.run("info", Samples.RELEASE, "--json").json();
    assertThat(info.get("id").asText()).isEqualTo(Samples.SAE_ID);
    assertThat(info.get("architecture").asText()).isEqualTo("jumprelu");
    assertThat(info.get("dtype").asText()).isEqualTo("float32");
    assertThat(info.at("/tensors/0/shape").toString()).isEqualTo("[384,2048]");
    assertThat(info.at("/threshold/median").doubleValue()).isCloseTo(0.482074, within(1e-6));
    assertThat(info.at("/log10_sparsity/never_fired").intValue()).isEqualTo(19);
    assertThat(info.get("weight_bytes").longValue()).isEqualTo(2L * 384 * 2048 * 4);
    assertThat(info.get("prepared_bytes").longValue()).isEqualTo(2048L * (384 * 5 + 12));
    assertThat(info.get("at_hand").booleanValue()).isTrue();
  }

  @Test
  void info_referenceEngine_preparesNothing() throws IOException {
    JsonNode info = Cli.run("info", Samples.RELEASE, "--engine", "reference", "--json").json();
    assertThat(info.get("prepared_bytes").longValue()).isZero();
  }

  @Test
  void info_folder_showsItsConfiguration() throws IOException {
    JsonNode info = Cli.run("info", "--dir", Samples.SAE_FOLDER, "--json").json();
    assertThat(info.get("model").asText()).isEqualTo("sentence-transformers/all-MiniLM-L6-v2");
    assertThat(info.get("widths").toString()).isEqualTo("[32,128,512,2048]");
  }

  @Test
  void info_prefix_isNamed() throws IOException {
    JsonNode info = Cli.run("info", Samples.RELEASE, "--prefix", "128", "--json").json();
    assertThat(info.get("prefix").intValue()).isEqualTo(128);
  }

  @Test
  void info_notDownloaded_showsTheRegistryAndTheNextStep(@TempDir Path cache) throws IOException {
    String[] sae = {"gemma-2-2b-res-snap-matryoshka-dc", "blocks.5.hook_resid_post"};
    Cli.Result text = Cli.run("info", sae[0], sae[1], "--cache-dir", cache);
    assertThat(text.code()).isZero();
    assertThat(text.out())
        .contains("750,000,000 tokens of the Pile", "604.0 MB", "377.9 MB")
        .contains("matryoshka-sae download " + sae[0] + " " + sae[1]);
    JsonNode json = Cli.run("info", sae[0], sae[1], "--cache-dir", cache, "--json").json();
    assertThat(json.get("at_hand").booleanValue()).isFalse();
    assertThat(json.get("weight_bytes").longValue()).isEqualTo(2L * 2304 * 32768 * 4);
    assertThat(cache).isEmptyDirectory();
  }

  @Test
  void info_severalSaes_asksForOne() {
    Cli.Result result = Cli.run("info", "gemma-2-2b-res-matryoshka-dc");
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err())
        .contains("has 25 SAEs", "such as blocks.0.hook_resid_post")
        .hasLineCount(1);
  }

  @Test
  void info_unknownSae_namesTheNearest() {
    Cli.Result result = Cli.run("info", "gemma-2-2b-res-matryoshka-dc", "layer 7");
    assertThat(result.code()).isEqualTo(3);
    assertThat(result.err()).contains("'blocks.7.hook_resid_post'").hasLineCount(1);
  }

  @Test
  void info_nothingNamed_saysWhatIsExpected() {
    Cli.Result result = Cli.run("info");
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err()).contains("RELEASE and SAE_ID, or --dir FOLDER").hasLineCount(1);
  }

  @Test
  void info_releaseAndFolder_areRefused() {
    Cli.Result result = Cli.run("info", Samples.RELEASE, "--dir", Samples.SAE_FOLDER);
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err()).contains("got both").hasLineCount(1);
  }

  @Test
  void info_missingFolder_isNotFound() {
    Cli.Result result = Cli.run("info", "--dir", "no-such-folder");
    assertThat(result.code()).isEqualTo(3);
    assertThat(result.err()).contains("no-such-folder").hasLineCount(1);
  }

  @Test
  void info_brokenConfiguration_isABadFile(@TempDir Path folder) throws IOException {
    Files.writeString(folder.resolve("cfg.json"), "{\"d_in\": 3}");
    Files.writeString(folder.resolve("sae_weights.safetensors"), "");
    Cli.Result result = Cli.run("info", "--dir", folder);
    assertThat(result.code()).isEqualTo(4);
    assertThat(result.err()).contains("cfg.json").hasLineCount(1);
  }

  @Test
  void info_stackTrace_onRequest() {
    Cli.Result result = Cli.run("info", "--dir", "no-such-folder", "--stack-trace");
    assertThat(result.code()).isEqualTo(3);
    assertThat(result.err()).contains("\tat io.matryoshka.sae.");
  }

  @Test
  void info_missingGpu_isSaid() {
    Cli.Result result = Cli.run("info", Samples.RELEASE, "--device", "cuda:999");
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err()).contains("GPU").hasLineCount(1);
  }

  @Test
  void info_badValues_areNamed() {
    assertThat(Cli.run("info", Samples.RELEASE, "--device", "tpu").err())
        .contains("--device", "cuda:N", "'tpu'")
        .hasLineCount(1);
    assertThat(Cli.run("info", Samples.RELEASE, "--dtype", "int4").err())
        .contains("--dtype", "bfloat16", "'int4'")
        .hasLineCount(1);
    assertThat(Cli.run("info", Samples.RELEASE, "--prefix", "4096").err())
        .contains("4096")
        .hasLineCount(1);
  }

  /** Cut off in its parts, with foreign bytes, and no archive at all. */
  static Stream<byte[]> brokenWeights() throws IOException {
    byte[] whole =
        Files.readAllBytes(
            Path.of("src/test/resources/formats/dictionary-learning-matryoshka/sae/ae.pt"));
    Stream<byte[]> cut =
        IntStream.of(0, 1, 4, 30, 100, 1000, whole.length / 2, whole.length - 22, whole.length - 1)
            .mapToObj(length -> Arrays.copyOf(whole, length));
    Stream<byte[]> changed =
        IntStream.range(0, 40)
            .mapToObj(
                i -> {
                  byte[] bytes = whole.clone();
                  // Pickle and directory: what lies between holds numbers of any value.
                  int at = i < 20 ? 60 + 20 * i : bytes.length - 20 * (i - 19);
                  Arrays.fill(bytes, at, Math.min(at + 8, bytes.length), (byte) 0xff);
                  return bytes;
                });
    Stream<byte[]> foreign =
        Stream.of(
                "PK",
                "no archive",
                "{}",
                "\u0080\u0002}q\u0000.",
                "\u0080\u0002\u008a\nl\u00fc\u009cF\u00f9 j\u00a8P\u0019.",
                "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 123456789\n",
                "\u001f\u008b\b")
            .map(text -> text.getBytes(StandardCharsets.ISO_8859_1));
    return Stream.of(cut, changed, foreign).flatMap(one -> one);
  }

  @ParameterizedTest
  @MethodSource("brokenWeights")
  void info_brokenCheckpoint_isABadFile(byte[] weights, @TempDir Path folder) throws IOException {
    Files.write(folder.resolve("ae.pt"), weights);
    Cli.Result result = Cli.run("info", "--dir", folder);
    assertThat(result.code()).as(result.err()).isEqualTo(4);
    assertThat(result.err()).contains("ae.pt").hasLineCount(1);
  }
}
