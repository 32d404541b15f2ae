package io.matryoshka.sae.internal.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.eval.EvaluationReport;
import io.matryoshka.sae.eval.EvaluationRun;
import io.matryoshka.sae.eval.EvaluationRunOptions;
import io.matryoshka.sae.npy.NpyWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Numbers have ASCII digits and points whatever the locale of the JVM. */
class LocaleTest {

  private static final String DEMO = "all-minilm-l6-v2-matryoshka-demo";
  private static final Locale OF_TESTS = Locale.getDefault();

  @TempDir Path folder;

  @AfterEach
  void restore() {
    Locale.setDefault(OF_TESTS);
  }

  private static void assertPlain(String what, String text) {
    assertThat(text.codePoints().filter(c -> c > 0x7f && Character.isDigit(c)))
        .as("digits of other scripts in %s", what)
        .isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"ar-EG", "fa-IR", "hi-IN-u-nu-deva", "de-DE", "tr-TR"})
  void commands_anyLocale_printWhatTheyPrintElsewhere(String tag) throws IOException {
    Path latents = folder.resolve("latents.safetensors");
    Path html = folder.resolve("r.html");
    Path csv = folder.resolve("r.csv");
    List<Object[]> commands =
        List.of(
            new Object[] {"evaluate", DEMO, "--html", html, "--csv", csv},
            new Object[] {"evaluate", DEMO, "--json"},
            new Object[] {"info", DEMO},
            new Object[] {"list"},
            new Object[] {"top", DEMO, "-i", Samples.ACTIVATIONS, "--rows", "0-2"},
            new Object[] {"top", DEMO, "-i", Samples.ACTIVATIONS, "--rows", "0-99999"});
    for (Object[] command : commands) {
      Locale.setDefault(Locale.ROOT);
      Cli.Result expected = Cli.run(command);
      Locale.setDefault(Locale.forLanguageTag(tag));
      assertThat(Cli.run(command)).isEqualTo(expected);
      assertThat(Locale.getDefault()).isEqualTo(Locale.forLanguageTag(tag));
    }
    Cli.Result encoded =
        Cli.run("encode", DEMO, "-i", Samples.ACTIVATIONS, "-o", latents.toString());
    assertPlain("encode", encoded.out() + encoded.err());
    assertPlain("the page", Files.readString(html));
    assertPlain("the table", Files.readString(csv));
  }

  /** Programs that call the library have the locale that they have. */
  @ParameterizedTest
  @ValueSource(strings = {"ar-EG", "hi-IN-u-nu-deva"})
  void library_anyLocale_writesPlainFiles(String tag) throws IOException {
    Locale.setDefault(Locale.forLanguageTag(tag));
    Path npy = folder.resolve("x.npy");
    try (NpyWriter writer = NpyWriter.create(npy, 12, 3)) {
      writer.write(new float[36], 0, 36);
      writer.finish();
    }
    assertThat(Files.readString(npy, StandardCharsets.ISO_8859_1)).contains("'shape': (12, 3)");
    try (SAE sae = SAE.fromPretrained(DEMO, "last_hidden_state");
        BundledDemo demo = BundledDemo.open()) {
      EvaluationReport report =
          new EvaluationReport(
              DEMO,
              EvaluationRun.run(sae, demo.activations(), EvaluationRunOptions.defaults()),
              Optional.empty(),
              sae.logSparsity());
      report.writeHtml(folder.resolve("r.html"));
      Files.writeString(folder.resolve("r.csv"), report.widthsCsv());
      Files.writeString(folder.resolve("l.csv"), report.latentsCsv());
      Files.writeString(folder.resolve("r.json"), report.json());
    }
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.filter(f -> !f.equals(npy)).toList()) {
        assertPlain(file.getFileName().toString(), Files.readString(file));
      }
    }
  }
}
