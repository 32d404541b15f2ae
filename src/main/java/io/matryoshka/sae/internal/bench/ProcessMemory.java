package io.matryoshka.sae.internal.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Resident memory of this process, where the system tells it (Linux). */
final class ProcessMemory {

  private static final Path STATUS = Path.of("/proc/self/status");
  private static final Path CLEAR = Path.of("/proc/self/clear_refs");

  /** Sets the peak to what is resident now; see proc(5). */
  private static final String RESET_PEAK = "5";

  private static final Pattern NOW = Pattern.compile("(?m)^VmRSS:\\s+(\\d+) kB$");
  private static final Pattern PEAK = Pattern.compile("(?m)^VmHWM:\\s+(\\d+) kB$");
  private static final long KILO = 1024;

  private ProcessMemory() {}

  /** Bytes that are resident now. */
  static OptionalLong now() {
    return read(NOW);
  }

  /** The most bytes that were resident since {@link #resetPeak}, or since the process began. */
  static OptionalLong peak() {
    return read(PEAK);
  }

  /**
   * Forgets the peak so far.
   *
   * @return whether the system permits it
   */
  static boolean resetPeak() {
    try {
      Files.writeString(CLEAR, RESET_PEAK);
      return true;
    } catch (IOException | SecurityException e) {
      return false;
    }
  }

  private static OptionalLong read(Pattern field) {
    try {
      Matcher matcher = field.matcher(Files.readString(STATUS));
      return matcher.find()
          ? OptionalLong.of(Long.parseLong(matcher.group(1)) * KILO)
          : OptionalLong.empty();
    } catch (IOException | SecurityException e) {
      return OptionalLong.empty();
    }
  }
}
