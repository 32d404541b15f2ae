package io.matryoshka.sae.support;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A second JVM with the class path of this one; it dies with the test. */
public final class ChildJvm implements AutoCloseable {
  private static final List<String> QUICK_START =
      List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto");

  private final Process process;
  private final BufferedReader output;

  private ChildJvm(Process process) {
    this.process = process;
    this.output = process.inputReader(StandardCharsets.UTF_8);
  }

  /** Starts a main class with options that make for a quick start. */
  public static ChildJvm start(Class<?> main, Object... arguments) throws IOException {
    return start(List.of(), QUICK_START, main, arguments);
  }

  /**
   * Starts a main class.
   *
   * @param wrapper a command that is given the whole command line of the JVM, or nothing
   */
  public static ChildJvm start(
      List<String> wrapper, List<String> options, Class<?> main, Object... arguments)
      throws IOException {
    List<String> command = new ArrayList<>(wrapper);
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(options);
    command.add("-cp");
    command.add(classPath());
    command.add(main.getName());
    for (Object argument : arguments) {
      command.add(argument.toString());
    }
    return new ChildJvm(new ProcessBuilder(command).redirectErrorStream(true).start());
  }

  private static String classPath() {
    String surefire = System.getProperty("surefire.test.class.path");
    return surefire == null
        ? System.getProperty("java.class.path")
        : surefire.replace("\n", File.pathSeparator);
  }

  public boolean isAlive() {
    return process.isAlive();
  }

  /** Returns the number by which the system knows the child. */
  public long pid() {
    return process.pid();
  }

  /** Waits until the child has written this line; skips the lines before it. */
  public void awaitLine(String expected) throws IOException {
    StringBuilder skipped = new StringBuilder();
    for (String line = output.readLine(); !expected.equals(line); line = output.readLine()) {
      if (line == null) {
        throw new IOException("The child ended without '" + expected + "': " + skipped);
      }
      skipped.append(line).append('\n');
    }
  }

  /** Writes a line that the child can read. */
  public void tell(String line) throws IOException {
    process.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
    process.getOutputStream().flush();
  }

  /** Kills the child as {@code kill -9} does, and waits until it is gone. */
  public void kill() throws InterruptedException {
    process.destroyForcibly();
    process.waitFor();
  }

  /** Waits for the end of the child and returns the lines not read so far. */
  public List<String> finish() throws IOException, InterruptedException {
    List<String> lines = output.lines().toList();
    if (!process.waitFor(1, TimeUnit.MINUTES)) {
      throw new IOException("The child closed its output but does not end");
    }
    return lines;
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
