package io.matryoshka.sae.internal.spark.host;

import ai.djl.engine.Engine;
import ai.djl.util.Utils;
import io.matryoshka.sae.internal.io.ProcessLock;
import java.io.IOException;
import java.util.Objects;

/**
 * Starts libtorch in one process of a host at a time. DJL unpacks the library, some 430 MB, at its
 * first use, and removes what it takes for the rest of a broken start: two executors that start
 * together on one host would remove each other's files.
 */
public final class NativeLibraries {

  private static final String ENGINE = "PyTorch";

  private NativeLibraries() {}

  static void load() throws IOException {
    try (ProcessLock lock =
        ProcessLock.acquire(Utils.getCacheDir().resolve("matryoshka-sae-unpack.lock"))) {
      Objects.requireNonNull(lock);
      Engine.getEngine(ENGINE);
    }
  }
}
