package io.matryoshka.sae.internal.model;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDManager;
import ai.djl.util.Utils;
import io.matryoshka.sae.internal.io.CacheFolder;
import io.matryoshka.sae.internal.io.HomeFolder;
import io.matryoshka.sae.internal.kernel.torch.Workers;
import java.nio.file.Path;

/** Starts DJL's PyTorch engine the way this library needs it. */
public final class Engines {

  private static final String NAME = "PyTorch";

  /** DJL's switch for its usage report, which a library has no business to send. */
  private static final String NO_REPORT = "OPT_OUT_TRACKING";

  /** Where DJL unpacks libtorch; {@code ~/.djl.ai} where this is not set. */
  private static final String CACHE = "DJL_CACHE_DIR";

  private Engines() {}

  /** Java binds a native library to one class loader for as long as that lives. */
  private static Engine engine() {
    try {
      return Engine.getEngine(NAME);
    } catch (EngineException | LinkageError e) {
      for (Throwable t = e; t != null; t = t.getCause()) {
        if (String.valueOf(t.getMessage()).contains("already loaded in another classloader")) {
          throw new EngineException(
              "libtorch is already loaded by another class loader of this JVM, and Java permits one"
                  + " only; put this library and DJL (ai.djl) into one shared class loader, such as"
                  + " the lib folder of the server, or start another JVM",
              e);
        }
      }
      Path folder = Utils.getEngineCacheDir();
      if (!CacheFolder.canBeMade(folder)) {
        throw new EngineException(cannotUnpack(folder), e);
      }
      throw e;
    }
  }

  static String cannotUnpack(Path folder) {
    return "libtorch cannot be unpacked to "
        + folder
        + ", which cannot be written; set "
        + CACHE
        + " (or ENGINE_CACHE_DIR, for the libraries alone) to a folder that can be written";
  }

  public static NDManager newManager(Device device) {
    if (System.getProperty(NO_REPORT) == null) {
      System.setProperty(NO_REPORT, "true");
    }
    if (!HomeFolder.isKnown()
        && System.getenv(CACHE) == null
        && System.getProperty(CACHE) == null) {
      System.setProperty(CACHE, CacheFolder.root().resolve("djl").toString());
    }
    Engine engine = engine();
    Workers.limitTorch();
    if (device.isGpu() && engine.getGpuCount() <= device.getDeviceId()) {
      throw new IllegalArgumentException(
          "device "
              + device
              + " is not there: the engine sees "
              + engine.getGpuCount()
              + " GPUs; use Device.cpu(), or put a CUDA build of pytorch-native on the class path");
    }
    return engine.newBaseManager(device);
  }
}
