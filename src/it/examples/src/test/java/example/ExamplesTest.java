package example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.engine.Engine;
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

/** Each example prints what docs/examples.md shows. */
class ExamplesTest {

  @TempDir Path folder;

  private interface Main {
    void run(String... args) throws Exception;
  }

  @Test
  void fromText_prints() throws Exception {
    assertPrints("FromText", FromText::main);
  }

  @Test
  void steering_prints() throws Exception {
    assertPrints("Steering", Steering::main);
  }

  @Test
  void streamCorpus_prints() throws Exception {
    assertPrints("StreamCorpus", StreamCorpus::main, "corpus.txt");
  }

  @Test
  void manyFiles_printsAndWrites() throws Exception {
    Path first = folder.resolve("first.safetensors");
    Path second = folder.resolve("second.safetensors");
    String bundled = "/io/matryoshka/sae/releases/demo/activations.safetensors";
    for (Path file : List.of(first, second)) {
      try (InputStream in = SAE.class.getResourceAsStream(bundled)) {
        Files.copy(in, file);
      }
    }
    Path output = folder.resolve("latents");

    assertPrints(
        "ManyFiles", ManyFiles::main, output.toString(), first.toString(), second.toString());

    assertTrue(Files.exists(output.resolve("index.json")), () -> "no index in " + output);
  }

  @Test
  void onGpu_prints() throws Exception {
    assumeTrue(Engine.getInstance().getGpuCount() > 0, "no CUDA device");
    assertEquals("(4096, 384) on gpu(0)", printed(OnGpu::main).get(0));
  }

  @Test
  void jshellScript_prints() throws Exception {
    Process shell =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "jshell").toString(),
                "--class-path",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                "-R-Dai.djl.offline=true",
                "-R-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
                "src/main/jshell/first-look.jsh")
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    String output = new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(expected("first-look"), output.lines().toList());
  }

  private static void assertPrints(String name, Main main, String... args) throws Exception {
    assertEquals(expected(name), printed(main, args));
  }

  private static List<String> expected(String name) throws Exception {
    return Files.readAllLines(Path.of("expected", name + ".txt"));
  }

  private static List<String> printed(Main main, String... args) throws Exception {
    Locale.setDefault(Locale.ROOT);
    PrintStream console = System.out;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    try {
      main.run(args);
    } finally {
      System.setOut(console);
    }
    return bytes.toString(StandardCharsets.UTF_8).lines().toList();
  }
}
