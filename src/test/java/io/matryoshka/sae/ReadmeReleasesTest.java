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
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The table of releases in the README says what the registry says. */
class ReadmeReleasesTest {

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
