package io.matryoshka.sae.internal.spark.host;

import io.matryoshka.sae.SAE;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;

/**
 * The SAEs that this JVM has open: each is opened by the first task that needs it, shared by all,
 * and closed when the JVM ends.
 */
public final class OpenSaes {

  private static final Map<HostSae, SAE> OPEN = new HashMap<>();

  static {
    Runtime.getRuntime().addShutdownHook(new Thread(OpenSaes::closeAll, "matryoshka-sae-close"));
  }

  private OpenSaes() {}

  /**
   * Returns the SAE of a reference, which is not to be closed.
   *
   * @throws JobFault if it is not the one that the driver has
   * @throws IOException if it cannot be opened
   */
  public static synchronized SAE get(HostSae ref, Configuration hadoop) throws IOException {
    SAE sae = OPEN.get(ref);
    if (sae == null) {
      NativeLibraries.load();
      sae = ref.open(hadoop);
      OPEN.put(ref, sae);
      ExecutorCheck.warnOfThreads();
    }
    ref.requireSame(sae);
    return sae;
  }

  private static synchronized void closeAll() {
    OPEN.values().forEach(SAE::close);
    OPEN.clear();
  }
}
