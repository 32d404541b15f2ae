package io.matryoshka.sae.internal.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.matryoshka.sae.hub.FakeHub;
import io.matryoshka.sae.internal.bench.SyntheticSae;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.w3c.dom.Document;

class BenchmarkCommandTest {

  private static final Set<String> OPERATIONS =
      Set.of("encodeSparse", "encode", "decode", "forward", "reconstructions");

  @TempDir private Path folder;

  private static Cli.Result run(Object... more) {
    List<Object> command = new ArrayList<>(List.of("benchmark", "--seconds", "0.001"));
    command.addAll(List.of(more));
    return Cli.run(command.toArray());
  }

  /**
   * The folders of all that runs now; other tests, in another process, may have some for a moment.
   */
  private static Set<Path> folders() throws IOException {
    try (Stream<Path> files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
      return files
          .filter(f -> f.getFileName().toString().startsWith("matryoshka-sae-benchmark"))
          .collect(Collectors.toSet());
    }
  }

  private static void assertNothingLeft(Set<Path> before) throws Exception {
    Instant end = Instant.now().plusSeconds(30);
    while (!before.containsAll(folders()) && Instant.now().isBefore(end)) {
      Thread.sleep(50);
    }
    assertThat(before).containsAll(folders());
  }

  private static List<String> sizes(JsonNode sae) {
    List<String> sizes = new ArrayList<>();
    sae.get("measurements")
        .forEach(
            m ->
                sizes.add(
                    m.get("operation").asText() + " " + m.get("tokens") + " " + m.get("width")));
    return sizes;
  }

  private static List<String> grid(List<Integer> tokens, List<Integer> widths) {
    List<String> sizes = new ArrayList<>();
    for (String operation : OPERATIONS) {
      for (int n : tokens) {
        for (int width : widths) {
          sizes.add(operation + " " + n + " " + width);
        }
      }
    }
    return sizes;
  }

  @Test
  void benchmark_syntheticSae_measuresEveryCombinationAndLeavesNothing() throws Exception {
    Set<Path> before = folders();
    Path json = folder.resolve("figures.json");
    Path svg = folder.resolve("plot.svg");
    Cli.Result result =
        run(
            "--d-in",
            "64,48",
            "--d-sae",
            256,
            "--tokens",
            "3,1",
            "--prefix-widths",
            "128,256",
            "--results",
            json,
            "--svg",
            svg);
    assertThat(result.code()).as(result.err()).isZero();
    assertThat(result.err()).isEmpty();
    assertThat(result.out())
        .contains(
            "limits of the processor: float32 product",
            "screening product: ",
            "d_in 64, d_sae 256",
            "d_in 48, d_sae 256")
        .containsPattern("forward +3 +256 ")
        .containsPattern("first time +\\d")
        .containsPattern("next time +\\d");
    JsonNode report = new ObjectMapper().readTree(json.toFile());
    assertThat(report.at("/machine/libtorch").asText()).isEqualTo("2.7.1");
    assertThat(report.at("/machine/threads").asInt()).isPositive();
    assertThat(report.at("/machine/screening_product").asText()).matches("(int8|float32) \\(.+\\)");
    assertThat(report.at("/limits/float32_operations_per_second").asDouble()).isPositive();
    assertThat(report.get("saes")).hasSize(2);
    for (JsonNode sae : report.get("saes")) {
      assertThat(sizes(sae))
          .containsExactlyInAnyOrderElementsOf(grid(List.of(1, 3), List.of(128, 256)));
      assertThat(sae.get("load")).hasSize(3);
      for (JsonNode m : sae.get("measurements")) {
        assertThat(m.get("rounds").asInt()).isBetween(3, 7);
        assertThat(m.get("ratio").asDouble())
            .isBetween(m.get("ratio_low").asDouble(), m.get("ratio_high").asDouble());
        assertThat(m.get("tokens_per_second").asDouble() * m.get("fast_seconds").asDouble())
            .isCloseTo(m.get("tokens").asDouble(), within(1e-9));
      }
    }
    assertThat(parse(svg).getElementsByTagName("polyline").getLength()).isEqualTo(4);
    assertNothingLeft(before);
  }

  private static Document parse(Path svg) throws Exception {
    return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(svg.toFile());
  }

  @Test
  void benchmark_oneSae_plotsEveryWidthOfTheOperation() throws Exception {
    Path svg = folder.resolve("plot.svg");
    Cli.Result result =
        run(
            "--d-in",
            32,
            "--d-sae",
            160,
            "--operations",
            "encodesparse",
            "--tokens",
            2,
            "--prefix-widths",
            "8,16,160",
            "--no-dense",
            "--svg",
            svg,
            "--markdown");
    assertThat(result.code()).as(result.err()).isZero();
    assertThat(result.out())
        .contains("| operation | tokens | width | fast ms |", "| --- | --: | --: |")
        .containsPattern("\\| encodeSparse \\| 2 \\| 160 \\| [0-9.]+ \\| – \\| – \\|")
        .doesNotContain("first time");
    assertThat(parse(svg).getElementsByTagName("polyline").getLength()).isEqualTo(3);
  }

  @Test
  void benchmark_loadFails_leavesNothing() throws Exception {
    Set<Path> before = folders();
    Cli.Result result = run("--d-in", 32, "--d-sae", 64, "--prefix", 65, "--operations", "forward");
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err()).contains("prefix width must lie in 1..64, got 65").hasLineCount(1);
    assertNothingLeft(before);
  }

  @Test
  void benchmark_keep_leavesTheSaeForTheNextRun() throws IOException {
    Object[] command = {
      "--d-in", 32, "--d-sae", 64, "--tokens", 1, "--operations", "load", "--keep", folder
    };
    assertThat(run(command).code()).isZero();
    assertThat(folder.resolve("synthetic-32x64/sae_weights.safetensors")).exists();
    assertThat(run(command).code()).isZero();
  }

  @Test
  void benchmark_namedSaeWithFewActivations_usesThemAgain() throws IOException {
    Cli.Result result =
        run(
            Samples.RELEASE,
            "--input",
            Samples.ACTIVATIONS,
            "--tokens",
            600,
            "--operations",
            "encodeSparse,load",
            "--json");
    assertThat(result.code()).as(result.err()).isZero();
    JsonNode sae = result.json().at("/saes/0");
    assertThat(sae.get("name").asText()).isEqualTo(Samples.RELEASE + " " + Samples.SAE_ID);
    assertThat(sizes(sae)).containsExactly("encodeSparse 600 2048");
    assertThat(sae.get("mean_l0").asDouble()).isCloseTo(32.60, within(0.01));
    assertThat(sae.at("/measurements/0/candidate_share").asDouble()).isBetween(0.01, 1.0);
  }

  @Test
  void benchmark_saeOnTheHub_isFetchedOnce() throws IOException {
    try (FakeHub hub = FakeHub.start()) {
      long size = 0;
      for (String name : new String[] {"cfg.json", "sae_weights.safetensors"}) {
        byte[] bytes = Files.readAllBytes(Samples.SAE_FOLDER.resolve(name));
        hub.lfs("owner/saes", "layer/" + name, bytes);
        size += bytes.length;
      }
      Cli.Result result =
          run(
              "owner/saes",
              "layer",
              "--endpoint",
              hub.endpoint(),
              "--cache-dir",
              folder,
              "--force-download",
              "--operations",
              "load",
              "--tokens",
              1,
              "--json");
      assertThat(result.code()).as(result.err()).isZero();
      assertThat(result.json().at("/saes/0/load")).hasSize(3);
      assertThat(result.json().at("/saes/0/mean_l0").asDouble()).isPositive();
      assertThat(hub.bodyBytes()).isLessThan(size + size / 2);
    }
  }

  @Test
  void benchmark_folderWithoutFastEngine_timesDenseProductsAlone() throws IOException {
    new SyntheticSae(24, 96, 5).write(folder);
    Cli.Result result = run("--dir", folder, "--dtype", "float64", "--tokens", 2, "--no-dense");
    assertThat(result.code()).as(result.err()).isZero();
    assertThat(result.out())
        .contains("This SAE has no fast engine here, so only dense products were timed.")
        .containsPattern("forward +2 +96 +– +[0-9.]+ +– +– +\\d+")
        .doesNotContain("first time");
    Cli.Result reference = run("--dir", folder, "--engine", "reference", "--tokens", 2, "--json");
    assertThat(reference.json().at("/saes/0/fast_engine").asBoolean()).isFalse();
    assertThat(reference.json().at("/saes/0/measurements/0/ratio").isNull()).isTrue();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--tokens 0 | tokens must be at least 1, got 0",
        "--prefix-widths 128,0 | widths must be at least 1, got 0",
        "--prefix-widths 300 --d-sae 256 | widths must be at most d_sae = 256, got 300",
        "--tokens 20000 | tokens must be at most 16383",
        "--seconds 0 | seconds must lie above 0",
        "--operations encode,fly | and load, got 'fly'",
        "--operations load --svg x.svg | --operations has only load",
        "--d-in 1 | d_in and d_sae of at least 2",
        "--input x.npy | expected RELEASE or --dir, got none",
        "--dir x --d-in 64 | but an SAE is named",
        "--tokens x | 'x' is not a whole number"
      })
  void benchmark_badOption_isToldInOneLine(String options, String message) {
    List<String> command = new ArrayList<>(List.of("benchmark"));
    command.addAll(List.of(options.split(" ")));
    Cli.Result result = Cli.run(command.toArray());
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.out()).isEmpty();
    assertThat(result.err()).contains(message).hasLineCount(1);
  }

  @Test
  void benchmark_unknownRelease_isNotFound() {
    Cli.Result result = run("no-such-release");
    assertThat(result.code()).isEqualTo(3);
    assertThat(result.out()).isEmpty();
  }
}
