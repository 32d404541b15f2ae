package example;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class InKotlinTest {

  @Test
  void main_printsWhatTheDocumentShows() throws Exception {
    PrintStream console = System.out;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
    try {
      InKotlinKt.main();
    } finally {
      System.setOut(console);
    }

    assertEquals(
        Files.readAllLines(Path.of("expected", "InKotlin.txt")),
        printed.toString(StandardCharsets.UTF_8).lines().toList());
  }
}
