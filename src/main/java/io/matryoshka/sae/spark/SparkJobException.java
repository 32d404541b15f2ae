package io.matryoshka.sae.spark;

import io.matryoshka.sae.internal.spark.host.JobFault;
import java.io.IOException;

/**
 * A job failed for a reason that trying again does not mend: its input, its settings, or an SAE
 * that is not the same on every host. It ends the job immediately.
 */
public final class SparkJobException extends IOException {

  private static final long serialVersionUID = 1;

  private SparkJobException(JobFault fault) {
    super(fault.getMessage(), fault);
  }

  /** A part of a job, or all of it. */
  @FunctionalInterface
  interface Work<T> {
    T call() throws IOException;
  }

  /** Does what tells of faults by an exception that is not for users. */
  static <T> T translate(Work<T> work) throws IOException {
    try {
      return work.call();
    } catch (JobFault e) {
      throw new SparkJobException(e);
    }
  }
}
