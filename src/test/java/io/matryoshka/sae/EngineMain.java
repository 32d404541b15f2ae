package io.matryoshka.sae;

import ai.djl.pytorch.jni.JniUtils;
import java.io.File;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Prints how many threads compute, or what a second class loader gets. */
final class EngineMain {

  private EngineMain() {}

  public static void main(String[] args) throws Exception {
    if (args[0].equals("threads")) {
      threads(Path.of(args[1]));
    } else {
      classLoaders(args[1]);
    }
  }

  private static void threads(Path folder) throws Exception {
    LoadOptions options =
        LoadOptions.defaults()
            .preparedCache(false)
            .engine(LoadOptions.Engine.valueOf(System.getProperty("engine")));
    try (SAE sae = SAE.load(folder, options)) {
      sae.decode(sae.encodeSparse(new float[4000 * sae.dIn()]));
      long workers =
          Thread.getAllStackTraces().keySet().stream()
              .filter(thread -> thread.getName().startsWith("matryoshka-sae"))
              .count();
      System.out.println("WORKERS " + workers + " TORCH " + JniUtils.getNumThreads());
    }
  }

  private static void classLoaders(String folder) throws Exception {
    List<URL> classPath = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
      classPath.add(Path.of(entry).toUri().toURL());
    }
    for (int i = 0; i < 2; i++) {
      URLClassLoader loader =
          new URLClassLoader(classPath.toArray(new URL[0]), ClassLoader.getPlatformClassLoader());
      Thread.currentThread().setContextClassLoader(loader);
      try {
        loader
            .loadClass("io.matryoshka.sae.SAE")
            .getMethod("load", Path.class)
            .invoke(null, Path.of(folder));
        System.out.println("LOADED");
      } catch (InvocationTargetException e) {
        System.out.println("FAILED " + e.getCause().getMessage());
      }
    }
  }
}
