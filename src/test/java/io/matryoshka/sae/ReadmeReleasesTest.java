package io.matryoshka.sae;

import static org.assertj.core.api.Assertions.assertThat;

import io.matryoshka.sae.registry.Release;
import io.matryoshka.sae.registry.ReleaseRegistry;
import io.matryoshka.sae.registry.SaeEntry;
import io.matryoshka.sae.support.SourceFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The tables of releases in the README and in docs/which-sae.md say what the registry says. */
class ReadmeReleasesTest {

  @Test
  void explainedVarianceByLayer_isThatOfTheRegistry() throws IOException {
    List<String> lines = Files.readAllLines(SourceFiles.PROJECT.resolve("docs/which-sae.md"));
    int head =
        lines.indexOf(lines.stream().filter(l -> l.startsWith("| Layer |")).findFirst().get());
    List<String> releases =
        Pattern.compile("`([^`]+)`")
            .matcher(lines.get(head))
            .results()
            .map(m -> m.group(1))
            .toList();
    int layers =
        releases.stream()
            .mapToInt(id -> ReleaseRegistry.bundled().release(id).saes().size())
            .max()
            .orElseThrow();

    assertThat(lines.subList(head + 2, head + 2 + layers))
        .containsExactlyElementsOf(
            IntStream.range(0, layers).mapToObj(layer -> layerRow(layer, releases)).toList());
  }

  private static String layerRow(int layer, List<String> releases) {
    return releases.stream()
        .map(
            id ->
                ReleaseRegistry.bundled().release(id).saes().stream()
                    .filter(sae -> sae.layer().equals(OptionalInt.of(layer)))
                    .findFirst()
                    .map(sae -> decimals(sae.explainedVariance().orElseThrow()))
                    .orElse(""))
        .collect(Collectors.joining(" | ", "| " + layer + " | ", " |"));
  }

  @Test
  void releases_areThoseOfTheRegistry() throws IOException {
    String readme = Files.readString(SourceFiles.PROJECT.resolve("README.md"));
    List<String> rows =
        ReleaseRegistry.bundled().releases().stream()
            .filter(release -> release.saes().get(0).explainedVariance().isPresent())
            .map(ReadmeReleasesTest::row)
            .toList();

    assertThat(readme.lines().filter(line -> line.startsWith("| `") && line.contains("matryoshka")))
        .containsExactlyElementsOf(rows);
    long published =
        ReleaseRegistry.bundled().releases().stream()
            .filter(release -> !release.id().endsWith("-demo"))
            .mapToLong(release -> release.saes().size())
            .sum();
    assertThat(readme).contains(String.format(Locale.ROOT, "%,d SAEs", published));
  }

  private static String row(Release release) {
    SaeEntry first = release.saes().get(0);
    DoubleSummaryStatistics variance =
        release.saes().stream()
            .mapToDouble(sae -> sae.explainedVariance().orElseThrow())
            .summaryStatistics();
    String lowest = decimals(variance.getMin());
    String highest = decimals(variance.getMax());
    return String.join(
        " | ",
        "| `" + release.id() + "`",
        release.model(),
        Integer.toString(release.saes().size()),
        Integer.toString(first.dIn()),
        Integer.toString(first.dSae()),
        first.widths().stream().map(String::valueOf).collect(Collectors.joining(", ")),
        Integer.toString(first.trainingK().orElseThrow()),
        (lowest.equals(highest) ? lowest : lowest + "–" + highest) + " |");
  }

  private static String decimals(double value) {
    return String.format(Locale.ROOT, "%.3f", value);
  }
}
