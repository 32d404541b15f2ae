package io.matryoshka.sae.internal.kernel.cpu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What the instructions of a processor say of int8 products in libtorch.
 *
 * @param int8 how fast they are
 * @param reason the instructions that say so, in a few words
 */
record ProcessorFeatures(Int8 int8, String reason) {

  /** How fast int8 products are beside those of floats. */
  enum Int8 {
    FAST,
    SLOW,
    UNKNOWN
  }

  private static final Path CPU_INFO = Path.of("/proc/cpuinfo");
  private static final String X86_FLAGS = "flags";

  /** Instructions that multiply int8 and add into int32; libtorch uses each of them. */
  private static final List<String> FOR_INT8 = List.of("amx_int8", "avx512_vnni", "avx_vnni");

  /** With it and without those above, how fast int8 is depends on the processor. */
  private static final String WIDE = "avx512bw";

  /** Reads what the system tells of the processor that this program runs on. */
  static ProcessorFeatures here() {
    try (Stream<String> lines = Files.lines(CPU_INFO)) {
      return of(lines);
    } catch (IOException e) {
      return unknown("the system does not tell the instructions of the processor");
    }
  }

  /**
   * Reads the flags of an x86 processor.
   *
   * @param cpuInfo lines in the form of Linux' {@code /proc/cpuinfo}
   */
  static ProcessorFeatures of(Stream<String> cpuInfo) {
    Optional<Set<String>> flags =
        cpuInfo
            .filter(line -> line.startsWith(X86_FLAGS))
            .findFirst()
            .map(line -> words(line.substring(line.indexOf(':') + 1)));
    if (flags.isEmpty()) {
      return unknown("the system does not tell the instructions of the processor");
    }
    Optional<String> found = FOR_INT8.stream().filter(flags.get()::contains).findFirst();
    if (found.isPresent()) {
      return new ProcessorFeatures(Int8.FAST, "the processor has " + found.get());
    }
    return flags.get().contains(WIDE)
        ? unknown("the processor has " + WIDE + " but no int8 instructions")
        : new ProcessorFeatures(Int8.SLOW, "the processor has no int8 instructions");
  }

  private static Set<String> words(String text) {
    return Set.copyOf(Arrays.asList(text.strip().split("\\s+")));
  }

  private static ProcessorFeatures unknown(String reason) {
    return new ProcessorFeatures(Int8.UNKNOWN, reason);
  }
}
