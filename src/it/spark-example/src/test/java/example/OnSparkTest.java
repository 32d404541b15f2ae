package example;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.matryoshka.sae.SAE;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The example prints what docs/examples.md shows. */
class OnSparkTest {

  @TempDir Path folder;

  @Test
  void onSpark_prints() throws Exception {
    Path in = Files.createDirectories(folder.resolve("in"));
    String bundled = "/io/matryoshka/sae/releases/demo/activations.safetensors";
    for (String name : List.of("first.safetensors", "second.safetensors")) {
      try (InputStream file = SAE.class.getResourceAsStream(bundled)) {
        Files.copy(file, in.resolve(name));
      }
    }
    Locale.setDefault(Locale.ROOT);
    PrintStream console = System.out;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    try {
      OnSpark.main(new String[] {in.toString(), folder.resolve("latents.parquet").toString()});
    } finally {
      System.setOut(console);
    }
    assertEquals(
        Files.readAllLines(Path.of("expected/OnSpark.txt")),
        bytes.toString(StandardCharsets.UTF_8).lines().toList());
  }
}
