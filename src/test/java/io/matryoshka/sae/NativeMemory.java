package io.matryoshka.sae;

import ai.djl.ndarray.BaseNDManager;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;

/** Looks at what Java's heap does not show: arrays of the engine, resident memory, mapped files. */
public final class NativeMemory {

  private static final Path STATUS = Path.of("/proc/self/status");

  private NativeMemory() {}

  /** Live arrays and managers. */
  public record Live(int arrays, int managers) {}

  /** Counts all arrays and managers of the engine, from its root manager down. */
  public static Live live(NDManager any) {
    NDManager root = any;
    while (root.getParentManager() != null && root.getParentManager() != root) {
      root = root.getParentManager();
    }
    return count(root);
  }

  private static Live count(NDManager manager) {
    int arrays = 0;
    int managers = 1;
    for (Object resource : resources(manager).values()) {
      if (resource instanceof NDArray) {
        arrays++;
      } else if (resource instanceof NDManager child) {
        Live below = count(child);
        arrays += below.arrays;
        managers += below.managers;
      }
    }
    return new Live(arrays, managers);
  }

  private static Map<?, ?> resources(NDManager manager) {
    try {
      Field field = BaseNDManager.class.getDeclaredField("resources");
      field.setAccessible(true);
      return (Map<?, ?>) field.get(manager);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("this version of DJL keeps its arrays elsewhere", e);
    }
  }

  public static boolean isResidentKnown() {
    return Files.isReadable(STATUS);
  }

  /** Resident memory of this process once garbage, mapped and direct buffers too, is collected. */
  public static long residentMebibytes() throws IOException {
    for (int i = 0; i < 3; i++) {
      System.gc();
      pause(); // Buffers are freed by another thread.
    }
    return Files.readAllLines(STATUS).stream()
        .filter(line -> line.startsWith("VmRSS:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) >> 10)
        .findFirst()
        .orElseThrow();
  }

  static void pause() {
    try {
      Thread.sleep(50);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Parts of a file that are mapped, and descriptors of it that are open. */
  static long uses(Path file) throws IOException {
    String real = file.toRealPath().toString();
    long mapped =
        Files.readAllLines(Path.of("/proc/self/maps")).stream()
            .filter(line -> line.endsWith(real))
            .count();
    try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
      return mapped + descriptors.filter(d -> leadsTo(d, real)).count();
    }
  }

  private static boolean leadsTo(Path descriptor, String real) {
    try {
      return Files.readSymbolicLink(descriptor).toString().equals(real);
    } catch (IOException e) {
      return false; // Closed in between.
    }
  }
}
