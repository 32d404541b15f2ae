package io.matryoshka.sae.stream;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.Selection;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Encodes a folder of activations with the demo SAE. Arguments: input, output, rows per shard, rows
 * per batch, k of a batch top-k or 0 for thresholds.
 */
final class EncodeMain {

  private EncodeMain() {}

  public static void main(String[] args) throws IOException {
    try (SAE sae = DemoRows.sae()) {
      ActivationSource source = ActivationSource.open(List.of(Path.of(args[0])));
      int k = Integer.parseInt(args[4]);
      EncodeOptions options =
          EncodeOptions.defaults()
              .rowsPerShard(Integer.parseInt(args[2]))
              .batchRows(Integer.parseInt(args[3]))
              .selection(k == 0 ? Selection.threshold() : Selection.batchTopK(k));
      EncodeResult result = EncodeRun.toFolder(sae, source, Path.of(args[1]), options);
      System.out.println("DONE " + result.rows() + " " + result.resumedRows());
    } catch (EncodeRunException e) {
      System.out.println("FAILED " + e.getMessage());
    }
  }
}
