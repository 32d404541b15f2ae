package io.matryoshka.sae.explore;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.stream.ActivationBatch;
import io.matryoshka.sae.stream.ActivationBatches;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.BatchEncoder;
import io.matryoshka.sae.stream.EncodedBatch;
import io.matryoshka.sae.stream.RowRules;
import java.io.IOException;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.function.LongConsumer;

/** Encodes a source of activations once and shows every batch to all who want to see it. */
public final class LatentPass {

  /** How many rows a pass has shown, and how many of them did not count. */
  record Seen(long rows, long maskedRows, long nonFiniteRows) {}

  /** Takes the batches of a pass, in the order of their rows. */
  @FunctionalInterface
  public interface Collector {

    /**
     * Takes a batch.
     *
     * @param firstRow index of its first row within the source
     * @param x {@code [rows, d_in]} model activations, row-major; not to be changed
     * @param latents the active latents of these rows; none for a row that is left out
     * @param leftOut rows of the batch that do not count: masked ones, and those that cannot be
     *     encoded
     */
    void add(long firstRow, float[] x, SparseLatents latents, BitSet leftOut);

    /**
     * Takes a batch just before or after the rows of the pass, in the order of rows with them. Such
     * rows are not counted; they may stand in the context of those that are. By default they are
     * not looked at.
     *
     * @param firstRow index of its first row within the source
     * @param latents the active latents of these rows; none for a row that is left out
     * @param leftOut rows of the batch that do not count
     */
    default void addAround(long firstRow, SparseLatents latents, BitSet leftOut) {}
  }

  private LatentPass() {}

  /**
   * Runs a pass.
   *
   * @param sae encodes; stays open
   * @param source the activations
   * @param rules which rows count
   * @param rowsPerBatch rows in memory at a time; two batches are
   * @param collectors take each batch one after the other, on the calling thread
   * @param progress told the number of rows done after every batch
   * @throws IOException if activations cannot be read, or a row that cannot be encoded stops the
   *     pass
   * @throws IllegalArgumentException if the width of the source is not {@code d_in}, or the mask
   *     does not fit
   */
  public static void run(
      SAE sae,
      ActivationSource source,
      RowRules rules,
      int rowsPerBatch,
      List<? extends Collector> collectors,
      LongConsumer progress)
      throws IOException {
    run(sae, source, rules, 0, source.rows(), rowsPerBatch, collectors, progress);
  }

  /** Runs a pass over the rows of a range of whole batches. */
  static Seen run(
      SAE sae,
      ActivationSource source,
      RowRules rules,
      long fromRow,
      long toRow,
      int rowsPerBatch,
      List<? extends Collector> collectors,
      LongConsumer progress)
      throws IOException {
    source.requireBatches(rowsPerBatch, fromRow, toRow);
    BatchEncoder encoder = new BatchEncoder(sae, source, Optional.empty(), rules);
    long masked = 0;
    long nonFinite = 0;
    try (ActivationBatches batches = source.batches(rowsPerBatch, fromRow, toRow)) {
      while (batches.hasNext()) {
        ActivationBatch batch = batches.next();
        EncodedBatch encoded = encoder.encode(batch);
        SparseLatents latents = encoded.allRows();
        for (Collector collector : collectors) {
          collector.add(batch.firstRow(), batch.values(), latents, encoded.leftOut());
        }
        masked += encoded.masked().cardinality();
        nonFinite += encoded.nonFinite().cardinality();
        progress.accept(encoded.endRow());
      }
    }
    if (fromRow == 0 && toRow == source.rows()) {
      RowRules.requireCounted(toRow, masked, nonFinite);
    }
    return new Seen(toRow - fromRow, masked, nonFinite);
  }

  /** Shows collectors the whole batches that hold the rows of a range, as rows around a pass. */
  static void around(
      SAE sae,
      ActivationSource source,
      RowRules rules,
      long fromRow,
      long toRow,
      int rowsPerBatch,
      List<? extends Collector> collectors)
      throws IOException {
    BatchEncoder encoder = new BatchEncoder(sae, source, Optional.empty(), rules.withoutWarnings());
    long from = fromRow - fromRow % rowsPerBatch;
    try (ActivationBatches batches =
        source.batches(rowsPerBatch, from, source.wholeBatches(toRow, rowsPerBatch))) {
      while (batches.hasNext()) {
        EncodedBatch encoded = encoder.encode(batches.next());
        for (Collector collector : collectors) {
          collector.addAround(encoded.firstRow(), encoded.allRows(), encoded.leftOut());
        }
      }
    }
  }
}
