package io.matryoshka.sae.internal.spark.host;

import io.matryoshka.sae.lm.LanguageModel;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;

/**
 * The language models that this JVM has open, as {@link OpenSaes} has the SAEs: each is opened by
 * the first task that needs it, shared by all, and closed when the JVM ends.
 */
public final class OpenModels {

  private static final Map<HostModel, Opened> OPEN = new HashMap<>();

  /** A model and what it is, which is looked up once. */
  private record Opened(LanguageModel model, String description) {}

  static {
    Runtime.getRuntime()
        .addShutdownHook(new Thread(OpenModels::closeAll, "matryoshka-sae-close-models"));
  }

  private OpenModels() {}

  /**
   * Returns the model of a reference, which is not to be closed.
   *
   * @throws JobFault if it is not the one that the driver has
   * @throws IOException if it cannot be opened
   */
  public static synchronized LanguageModel get(HostModel ref, Configuration hadoop)
      throws IOException {
    Opened found = OPEN.get(ref);
    if (found == null) {
      NativeLibraries.load();
      found = opened(ref, ref.open(hadoop));
      OPEN.put(ref, found);
      ExecutorCheck.warnOfThreads();
    }
    ref.requireSame(found.description());
    return found.model();
  }

  private static Opened opened(HostModel ref, LanguageModel model) throws IOException {
    try {
      return new Opened(model, ref.describe(model));
    } catch (Throwable e) {
      model.close();
      throw e;
    }
  }

  private static synchronized void closeAll() {
    OPEN.values().forEach(open -> open.model().close());
    OPEN.clear();
  }
}
