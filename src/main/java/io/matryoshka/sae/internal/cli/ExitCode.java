package io.matryoshka.sae.internal.cli;

import ai.djl.engine.EngineException;
import io.matryoshka.sae.config.SaeFormatException;
import io.matryoshka.sae.config.UnsupportedArchitectureException;
import io.matryoshka.sae.eval.EvaluationException;
import io.matryoshka.sae.hub.AccessForbiddenException;
import io.matryoshka.sae.hub.BadTokenException;
import io.matryoshka.sae.hub.CacheWriteException;
import io.matryoshka.sae.hub.EntryNotFoundException;
import io.matryoshka.sae.hub.GatedRepositoryException;
import io.matryoshka.sae.hub.HubException;
import io.matryoshka.sae.hub.RepositoryNotFoundException;
import io.matryoshka.sae.hub.RevisionNotFoundException;
import io.matryoshka.sae.internal.spark.host.JobFault;
import io.matryoshka.sae.internal.torchzip.TorchZipException;
import io.matryoshka.sae.internal.zip.ZipFormatException;
import io.matryoshka.sae.labels.LabelException;
import io.matryoshka.sae.lm.ModelFormatException;
import io.matryoshka.sae.npy.NpyException;
import io.matryoshka.sae.registry.RegistryException;
import io.matryoshka.sae.registry.UnknownReleaseException;
import io.matryoshka.sae.registry.UnknownSaeException;
import io.matryoshka.sae.safetensors.SafetensorsException;
import io.matryoshka.sae.stream.ActivationException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the exit code of the process tells a script. */
enum ExitCode {
  /** The command did what it says. */
  OK(0, "success", List.of()),
  /** The command ran, and what it was to check is not in order. */
  PROBLEMS(1, "the check found problems", List.of()),
  /** The user's mistake in options or values. */
  USAGE(2, "wrong option, parameter or value", List.of(IllegalArgumentException.class)),
  /** What was named does not exist. */
  NOT_FOUND(
      3,
      "unknown release or SAE, or no such file",
      List.of(
          UnknownReleaseException.class,
          UnknownSaeException.class,
          NoSuchFileException.class,
          NotDirectoryException.class,
          EntryNotFoundException.class,
          RepositoryNotFoundException.class,
          RevisionNotFoundException.class)),
  /** A file is not what it should be. */
  BAD_FILE(
      4,
      "malformed or unsupported file",
      List.of(
          SaeFormatException.class,
          ModelFormatException.class,
          UnsupportedArchitectureException.class,
          SafetensorsException.class,
          NpyException.class,
          ZipFormatException.class,
          TorchZipException.class,
          LabelException.class,
          RegistryException.class,
          ActivationException.class,
          EvaluationException.class,
          JobFault.class)),
  /** The Hub wants a token, another token, or the acceptance of terms. */
  REFUSED(
      5,
      "the Hub refuses access",
      List.of(
          GatedRepositoryException.class, BadTokenException.class, AccessForbiddenException.class)),
  /** Nothing is wrong with the request, yet the file cannot be had now. */
  UNAVAILABLE(
      6, "cannot be downloaded now, or not cached while offline", List.of(HubException.class)),
  /** The disk or its permissions. */
  IO(7, "a file cannot be read or written", List.of(CacheWriteException.class, IOException.class)),
  /** The device or its memory. */
  DEVICE(
      8,
      "the device or its memory does not suffice",
      List.of(EngineException.class, OutOfMemoryError.class, LinkageError.class)),
  /** A defect of this program. */
  BUG(70, "an error of this program; please report it with --stack-trace", List.of()),
  /** The user stopped the command. */
  INTERRUPTED(130, "interrupted", List.of(InterruptedIOException.class));

  private final int code;
  private final String meaning;
  private final List<Class<? extends Throwable>> causes;

  ExitCode(int code, String meaning, List<Class<? extends Throwable>> causes) {
    this.code = code;
    this.meaning = meaning;
    this.causes = causes;
  }

  int code() {
    return code;
  }

  /** Finds the code by the nearest class above that of the failure. */
  static ExitCode of(Throwable failure) {
    for (Class<?> type = failure.getClass(); type != null; type = type.getSuperclass()) {
      for (ExitCode candidate : values()) {
        if (candidate.causes.contains(type)) {
          return candidate;
        }
      }
    }
    return BUG;
  }

  /** The codes and their meanings as picocli prints them. */
  static Map<String, String> list() {
    Map<String, String> list = new LinkedHashMap<>();
    for (ExitCode code : values()) {
      list.put(Integer.toString(code.code), code.meaning);
    }
    return list;
  }
}
