package io.matryoshka.sae.internal.cli;

import java.util.Map;

/**
 * Quiets the libraries below: a user of the command line sees warnings of this library alone. A
 * property that is set on the java command line wins.
 */
final class Logging {

  private static final String SIMPLE = "org.slf4j.simpleLogger.";

  /**
   * DJL warns of a missing CUDA on each start on a machine without a GPU, Jetty of each malformed
   * request that it refuses.
   */
  private static final Map<String, String> PROPERTIES =
      Map.of(
          SIMPLE + "defaultLogLevel",
          "warn",
          SIMPLE + "log.ai.djl",
          "error",
          SIMPLE + "log.org.eclipse.jetty",
          "error",
          SIMPLE + "showThreadName",
          "false",
          SIMPLE + "showShortLogName",
          "true",
          SIMPLE + "showLogName",
          "false",
          "OPT_OUT_TRACKING",
          "true");

  private Logging() {}

  /** To be called before the first logger is made. */
  static void beQuiet() {
    PROPERTIES.forEach(
        (key, value) -> {
          if (System.getProperty(key) == null) {
            System.setProperty(key, value);
          }
        });
  }
}
