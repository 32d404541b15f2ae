package io.matryoshka.sae.internal.bench;

import ai.djl.engine.Engine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * The machine that figures are of.
 *
 * @param processor its name, or its architecture where the system tells no name
 * @param processors logical processors that the JVM may use
 * @param system operating system and its version
 * @param jvm virtual machine and its version
 * @param libtorch version of libtorch
 * @param maxHeapBytes the largest heap that the JVM may take
 */
public record Machine(
    String processor,
    int processors,
    String system,
    String jvm,
    String libtorch,
    long maxHeapBytes) {

  private static final Path CPU_INFO = Path.of("/proc/cpuinfo");
  private static final String MODEL = "model name";

  /**
   * Describes the machine that this program runs on.
   *
   * @return the description
   */
  public static Machine here() {
    Runtime runtime = Runtime.getRuntime();
    return new Machine(
        processorName(),
        runtime.availableProcessors(),
        System.getProperty("os.name") + " " + System.getProperty("os.version"),
        System.getProperty("java.vm.name") + " " + Runtime.version(),
        Engine.getEngine("PyTorch").getVersion(),
        runtime.maxMemory());
  }

  private static String processorName() {
    try (Stream<String> lines = Files.lines(CPU_INFO)) {
      return lines
          .filter(line -> line.startsWith(MODEL))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst()
          .orElseGet(() -> System.getProperty("os.arch"));
    } catch (IOException e) {
      return System.getProperty("os.arch");
    }
  }
}
