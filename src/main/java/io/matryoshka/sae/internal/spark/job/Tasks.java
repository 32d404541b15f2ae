package io.matryoshka.sae.internal.spark.job;

import io.matryoshka.sae.config.SaeFormatException;
import io.matryoshka.sae.config.UnsupportedArchitectureException;
import io.matryoshka.sae.internal.spark.host.JobFault;
import io.matryoshka.sae.lm.ModelFormatException;
import io.matryoshka.sae.npy.NpyException;
import io.matryoshka.sae.registry.RegistryException;
import io.matryoshka.sae.safetensors.SafetensorsException;
import io.matryoshka.sae.stream.ActivationException;
import io.matryoshka.sae.stream.StateException;
import java.util.List;
import java.util.concurrent.Callable;
import org.apache.spark.TaskContext;
import org.apache.spark.TaskKilledException;

/** What all tasks do alike: tell faults that will come again, and stop when they are told to. */
public final class Tasks {

  /** Faults of input and settings; others, as of a network, may be gone at the next attempt. */
  private static final List<Class<? extends Exception>> LASTING =
      List.of(
          ActivationException.class,
          SafetensorsException.class,
          NpyException.class,
          SaeFormatException.class,
          UnsupportedArchitectureException.class,
          RegistryException.class,
          StateException.class,
          ModelFormatException.class,
          IllegalArgumentException.class);

  private Tasks() {}

  /**
   * Runs a part of a job on a host.
   *
   * @throws JobFault if it fails for a reason that will be there at every attempt
   */
  static <T> T run(Callable<T> work) throws Exception {
    try {
      return work.call();
    } catch (Exception e) {
      if (LASTING.stream().anyMatch(type -> type.isInstance(e))) {
        throw new JobFault(String.valueOf(e.getMessage()).replace('\n', ' '), e);
      }
      throw e;
    }
  }

  /** Ends a task that Spark has given up, as that of a job that was cancelled. */
  static void stopIfKilled() {
    TaskContext task = TaskContext.get();
    if (task != null && task.isInterrupted()) {
      throw new TaskKilledException("the job has ended");
    }
  }
}
