package io.matryoshka.sae.explore;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.stream.ActivationBatch;
import io.matryoshka.sae.stream.ActivationBatches;
import io.matryoshka.sae.stream.ActivationSource;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.function.LongConsumer;

/** Encodes a source of activations once and shows every batch to all who want to see it. */
public final class LatentPass {

  /** Takes the batches of a pass, in the order of their rows. */
  @FunctionalInterface
  public interface Collector {

    /**
     * Takes a batch.
     *
     * @param firstRow index of its first row within the source
     * @param x {@code [rows, d_in]} model activations, row-major; not to be changed
     * @param latents the active latents of these rows
     */
    void add(long firstRow, float[] x, SparseLatents latents);
  }

  private LatentPass() {}

  /**
   * Runs a pass.
   *
   * @param sae encodes; stays open
   * @param source the activations
   * @param rowsPerBatch rows in memory at a time; two batches are
   * @param collectors take each batch one after the other, on the calling thread
   * @param progress told the number of rows done after every batch
   * @throws IOException if activations cannot be read
   * @throws IllegalArgumentException if the width of the source is not {@code d_in}
   */
  public static void run(
      SAE sae,
      ActivationSource source,
      int rowsPerBatch,
      List<? extends Collector> collectors,
      LongConsumer progress)
      throws IOException {
    if (source.dIn() != sae.dIn()) {
      throw new IllegalArgumentException(
          "explore: activations must have width d_in = %d, got %d; check that they come from %s"
              .formatted(
                  sae.dIn(),
                  source.dIn(),
                  sae.config().hookPoint().orElse("the hook point of this SAE")));
    }
    run(sae, source, source.rows(), rowsPerBatch, collectors, progress);
  }

  /** Runs a pass over the first rows, rounded up to whole batches. */
  static void run(
      SAE sae,
      ActivationSource source,
      long rows,
      int rowsPerBatch,
      List<? extends Collector> collectors,
      LongConsumer progress)
      throws IOException {
    try (ActivationBatches batches = source.batches(rowsPerBatch, 0)) {
      long done = 0;
      while (done < rows) {
        ActivationBatch batch = batches.next();
        SparseLatents latents = sae.encodeSparse(FloatBuffer.wrap(batch.values()), batch.rows());
        for (Collector collector : collectors) {
          collector.add(batch.firstRow(), batch.values(), latents);
        }
        done = batch.firstRow() + batch.rows();
        progress.accept(done);
      }
    }
  }
}
