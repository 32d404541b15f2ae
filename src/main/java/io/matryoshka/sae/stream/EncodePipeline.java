package io.matryoshka.sae.stream;

import io.matryoshka.sae.SAE;
import java.io.IOException;

/**
 * Reads, encodes and writes at the same time: one thread reads the next batch, the caller encodes,
 * one thread writes. At most {@value #WRITES_AHEAD} encoded batches wait. The first failure ends
 * all three and is thrown.
 */
final class EncodePipeline {

  private static final int WRITES_AHEAD = 2;

  private final ActivationSource source;
  private final BatchEncoder encoder;
  private final EncodeOptions options;

  EncodePipeline(SAE sae, ActivationSource source, EncodeOptions options) throws IOException {
    this.source = source;
    this.encoder = new BatchEncoder(sae, source, options.selection(), options.rows());
    this.options = options;
  }

  /**
   * Hands every batch that holds one of the rows on to a sink. Batches begin at multiples of their
   * size, whatever the range, so that the same rows are always encoded together.
   */
  void run(long firstRow, long endRow, EncodedSink sink) throws IOException {
    EncodeProgress progress = options.progress();
    progress.update(firstRow, source.rows());
    int batchRows = options.batchRows();
    long from = firstRow - firstRow % batchRows;
    long to = source.wholeBatches(endRow, batchRows);
    try (BackgroundTasks<Void> writing = new BackgroundTasks<>("matryoshka-write");
        ActivationBatches batches = source.batches(batchRows, from, to)) {
      while (batches.hasNext()) {
        EncodedBatch encoded = encoder.encode(batches.next());
        if (writing.pending() == WRITES_AHEAD) {
          writing.take();
        }
        writing.submit(
            () -> {
              sink.accept(encoded);
              return null;
            });
        progress.update(encoded.endRow(), source.rows());
      }
      while (writing.pending() > 0) {
        writing.take();
      }
    }
  }
}
