package io.matryoshka.sae.eval;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.stream.ActivationSource;
import java.nio.file.Path;
import java.util.List;

/** A run in a JVM of its own, to be killed; it waits a while after each batch. */
final class EvaluationMain {

  private static final int PAUSE_MILLIS = 50;

  private EvaluationMain() {}

  public static void main(String[] args) throws Exception {
    Path folder = Path.of(args[0]);
    int batch = Integer.parseInt(args[2]);
    List<Path> files =
        List.of(
            folder.resolve("part-1.safetensors"),
            folder.resolve("part-2.safetensors"),
            folder.resolve("part-10.safetensors"));
    EvaluationRunOptions options =
        EvaluationRunOptions.defaults()
            .evaluation(EvaluationOptions.defaults().batchRows(batch))
            .checkpoint(Path.of(args[1]))
            .checkpointRows(batch)
            .progress(EvaluationMain::tell);
    try (SAE sae = DemoActivations.sae()) {
      EvaluationRun.run(sae, ActivationSource.open(files), options);
    }
  }

  private static void tell(long rows) {
    System.out.println("rows " + rows);
    try {
      Thread.sleep(PAUSE_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
