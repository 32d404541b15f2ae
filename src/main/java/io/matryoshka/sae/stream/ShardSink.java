package io.matryoshka.sae.stream;

import io.matryoshka.sae.SparseLatentsWriter;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Cuts a sequence of batches into files of a fixed number of rows. Used by the writing thread, and
 * closed after its end.
 */
final class ShardSink implements EncodedSink {

  private final RunFolder folder;
  private final int width;
  private final int shards;
  private final long rowsPerShard;
  private final long endRow;
  private long nextRow;
  private int maskedInShard;
  private int nonFiniteInShard;
  private SparseLatentsWriter writer;

  /**
   * Makes a sink that writes nothing yet.
   *
   * @param folder takes the files
   * @param width of the latents
   * @param rowsPerShard rows of every file but the last
   * @param firstRow rows before this one are dropped; begins a shard
   * @param endRow the row after the last of the run
   * @param shards number of files of the run
   */
  ShardSink(
      RunFolder folder, int width, long rowsPerShard, long firstRow, long endRow, int shards) {
    this.folder = folder;
    this.width = width;
    this.rowsPerShard = rowsPerShard;
    this.nextRow = firstRow;
    this.endRow = endRow;
    this.shards = shards;
  }

  @Override
  public void accept(EncodedBatch batch) throws IOException {
    while (nextRow < batch.endRow()) {
      long shardEnd = Math.min(endRow, (nextRow / rowsPerShard + 1) * rowsPerShard);
      int from = (int) (nextRow - batch.firstRow());
      int to = (int) (Math.min(shardEnd, batch.endRow()) - batch.firstRow());
      Path file = folder.shard((int) (nextRow / rowsPerShard), shards);
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
        }
      } catch (IOException e) {
        throw RunFolder.failure(file, e);
      }
    }
  }

  private void finishShard() throws IOException {
    writer.metadata(ShardIndex.FIRST_ROW, Long.toString(nextRow - writer.rows()));
    writer.metadata(ShardIndex.MASKED_ROWS, Integer.toString(maskedInShard));
    writer.metadata(ShardIndex.NON_FINITE_ROWS, Integer.toString(nonFiniteInShard));
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
