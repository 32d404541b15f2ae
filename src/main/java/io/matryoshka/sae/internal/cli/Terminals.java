package io.matryoshka.sae.internal.cli;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Tells what is a terminal. Java knows only whether both stdin and stdout are one. */
final class Terminals {

  private static final Path DESCRIPTORS = Path.of("/proc/self/fd");

  private Terminals() {}

  /**
   * Tells whether a stream of this process is a terminal.
   *
   * @param descriptor 1 for stdout, 2 for stderr
   */
  static boolean isTerminal(int descriptor) {
    Path link = DESCRIPTORS.resolve(Integer.toString(descriptor));
    if (Files.isSymbolicLink(link)) {
      try {
        String target = Files.readSymbolicLink(link).toString();
        return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty");
      } catch (IOException e) {
        return false;
      }
    }
    return consoleIsTerminal();
  }

  /**
   * Returns the width of the terminal: {@code COLUMNS} of the environment, else what {@code stty}
   * says.
   *
   * @return columns, {@link Integer#MAX_VALUE} if unknown
   */
  static int columns() {
    String told = System.getenv("COLUMNS");
    return told != null ? positive(told) : positive(sttyColumns());
  }

  private static int positive(String number) {
    try {
      int columns = Integer.parseInt(number.strip());
      return columns > 0 ? columns : Integer.MAX_VALUE;
    } catch (NumberFormatException e) {
      return Integer.MAX_VALUE;
    }
  }

  private static String sttyColumns() {
    File terminal = new File("/dev/tty");
    if (!terminal.exists()) {
      return "";
    }
    try {
      Process stty = new ProcessBuilder("stty", "size").redirectInput(terminal).start();
      String size = new String(stty.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
      return size.replaceFirst("^\\d+ ", "");
    } catch (IOException e) {
      return "";
    }
  }

  /** Tells whether the user's environment lets programs colour what they print. */
  static boolean takesColours() {
    return System.getenv("NO_COLOR") == null && !"dumb".equals(System.getenv("TERM"));
  }

  /** From Java 22 on there is a console without a terminal too, which {@code isTerminal} tells. */
  private static boolean consoleIsTerminal() {
    java.io.Console console = System.console();
    if (console == null) {
      return false;
    }
    try {
      return (Boolean) java.io.Console.class.getMethod("isTerminal").invoke(console);
    } catch (NoSuchMethodException e) {
      return true;
    } catch (ReflectiveOperationException e) {
      return false;
    }
  }
}
