package io.matryoshka.sae.spark;

import io.matryoshka.sae.internal.spark.main.Commands;
import java.util.ServiceLoader;

/**
 * The program of {@code spark-submit}: activations, encode, evaluate and explore, with the options
 * of the command line and URIs in place of files. docs/spark.md says what differs.
 */
public final class SparkMain {

  private SparkMain() {}

  /**
   * Runs a command and ends the driver with its exit code, which is that of the command line: 0 for
   * a result, 2 for a command that is not understood, and others by the kind of a failure.
   *
   * @param args the command, its parameters and options
   */
  public static void main(String[] args) {
    int code = run(args);
    if (code != 0) {
      System.exit(code);
    }
  }

  /** Runs a command and returns its exit code. */
  private static int run(String... args) {
    return ServiceLoader.load(Commands.class, SparkMain.class.getClassLoader())
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("the jar is not whole: it holds no commands"))
        .run(args);
  }
}
