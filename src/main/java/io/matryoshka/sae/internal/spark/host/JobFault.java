package io.matryoshka.sae.internal.spark.host;

import java.io.IOException;

/**
 * A job failed for a reason that trying again does not mend: its input, its settings, or an SAE
 * that is not the same on every host. It ends the job immediately.
 */
public final class JobFault extends IOException {

  private static final long serialVersionUID = 1;

  /** A fault that is found here. */
  public JobFault(String message) {
    super(message);
  }

  /** A fault that something else tells of. */
  public JobFault(String message, Throwable cause) {
    super(message, cause);
  }
}
