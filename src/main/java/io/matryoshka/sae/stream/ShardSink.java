package io.matryoshka.sae.stream;

import io.matryoshka.sae.SparseLatentsWriter;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Cuts a sequence of batches into files of a fixed number of rows. Used by the writing thread, and
 * closed after its end.
 */
final class ShardSink implements EncodedSink {

  private final EncodePlan plan;
  private final Path folder;
  private final int width;
  private final int endShard;
  private int shard;
  private long nextRow;
  private int maskedInShard;
  private int nonFiniteInShard;
  private SparseLatentsWriter writer;

  /**
   * Makes a sink that writes nothing yet. Rows of other files are dropped.
   *
   * @param plan says which rows go into which file
   * @param folder takes the files
   * @param width of the latents
   * @param firstShard the first file
   * @param endShard the file after the last
   */
  ShardSink(EncodePlan plan, Path folder, int width, int firstShard, int endShard) {
    this.plan = plan;
    this.folder = folder;
    this.width = width;
    this.shard = firstShard;
    this.endShard = endShard;
    this.nextRow = plan.firstRow(firstShard);
  }

  @Override
  public void accept(EncodedBatch batch) throws IOException {
    while (shard < endShard && nextRow < batch.endRow()) {
      long shardEnd = plan.firstRow(shard + 1);
      int from = (int) (nextRow - batch.firstRow());
      int to = (int) (Math.min(shardEnd, batch.endRow()) - batch.firstRow());
      Path file = folder.resolve(plan.fileName(shard));
      try {
        if (writer == null) {
          writer = SparseLatentsWriter.create(file, width);
        }
        batch.appendTo(writer, from, to);
        maskedInShard += batch.maskedRows(from, to);
        nonFiniteInShard += batch.nonFiniteRows(from, to);
        nextRow += to - from;
        if (nextRow == shardEnd) {
          finishShard();
          shard++;
        }
      } catch (IOException e) {
        throw RunFolder.failure(file, e);
      }
    }
  }

  private void finishShard() throws IOException {
    writer.metadata(EncodedShard.FIRST_ROW, Long.toString(nextRow - writer.rows()));
    writer.metadata(EncodedShard.MASKED_ROWS, Integer.toString(maskedInShard));
    writer.metadata(EncodedShard.NON_FINITE_ROWS, Integer.toString(nonFiniteInShard));
    writer.finish();
    writer.close();
    maskedInShard = 0;
    nonFiniteInShard = 0;
    writer = null;
  }

  @Override
  public void close() throws IOException {
    if (writer != null) {
      writer.close();
    }
  }
}
