package io.matryoshka.sae.spark;

import java.io.IOException;

/**
 * A job failed for a reason that trying again does not mend: its input, its settings, or an SAE
 * that is not the same on every host. It ends the job immediately.
 */
public final class SparkJobException extends IOException {

  private static final long serialVersionUID = 1;

  SparkJobException(String message) {
    super(message);
  }

  SparkJobException(String message, Throwable cause) {
    super(message, cause);
  }
}
