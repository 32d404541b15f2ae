package example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FirstExampleTest {

  @Test
  void main_printsWhatTheReadmeShows() throws Exception {
    Locale.setDefault(Locale.ROOT);
    PrintStream console = System.out;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
    try {
      FirstExample.main(new String[0]);
    } finally {
      System.setOut(console);
    }

    assertEquals(
        Files.readAllLines(Path.of("expected-output.txt")),
        printed.toString(StandardCharsets.UTF_8).lines().toList());
  }

  /** So the example above runs with what every user of the library gets, and a native library. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "ai.djl.huggingface.tokenizers.HuggingFaceTokenizer",
        "me.tongfei.progressbar.ProgressBar",
        "org.apache.spark.SparkContext",
        "org.eclipse.jetty.server.Server",
        "org.slf4j.simple.SimpleLogger",
        "picocli.CommandLine"
      })
  void classPath_hasNoOptionalDependency(String name) {
    assertThrows(ClassNotFoundException.class, () -> Class.forName(name));
  }
}
