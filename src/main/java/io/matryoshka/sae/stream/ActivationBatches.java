package io.matryoshka.sae.stream;

import java.io.IOException;
import java.util.NoSuchElementException;

/**
 * The batches of a range of a source, one after the other. The next one is read on a thread of its
 * own while the caller works, so that two are in memory at a time. Not safe for use by several
 * threads.
 */
public final class ActivationBatches implements AutoCloseable {

  private final ActivationSource source;
  private final int rowsPerBatch;
  private final BackgroundTasks<ActivationBatch> reading;
  private final long endRow;
  private long requested;
  private long delivered;

  /** Used by the reading thread, and by {@link #close} after its end. */
  private ShardReader reader;

  private ActivationShard shard;

  ActivationBatches(ActivationSource source, int rowsPerBatch, long fromRow, long toRow) {
    this.source = source;
    this.rowsPerBatch = rowsPerBatch;
    this.endRow = toRow;
    this.requested = fromRow;
    this.delivered = fromRow;
    this.reading = new BackgroundTasks<>("matryoshka-read");
    request();
  }

  private void request() {
    long first = requested;
    if (first < endRow) {
      requested = Math.min(endRow, first + rowsPerBatch);
      int rows = (int) (requested - first);
      reading.submit(() -> read(first, rows));
    }
  }

  /**
   * Tells whether rows are left.
   *
   * @return true if {@link #next} has a batch to return
   */
  public boolean hasNext() {
    return delivered < endRow;
  }

  /**
   * Returns the next batch, and begins to read the one after.
   *
   * @return the batch
   * @throws ActivationException if a file has changed since the source was opened
   * @throws IOException if a file cannot be read, or the thread was interrupted
   * @throws NoSuchElementException if there is none
   * @throws IllegalStateException if this is closed
   */
  public ActivationBatch next() throws IOException {
    if (!hasNext()) {
      throw new NoSuchElementException("all rows before row " + endRow + " have been read");
    }
    ActivationBatch batch = reading.take();
    request();
    delivered += batch.rows();
    return batch;
  }

  private ActivationBatch read(long firstRow, int rows) throws IOException {
    int dIn = source.dIn();
    float[] values = new float[rows * dIn];
    for (int done = 0; done < rows; ) {
      long row = firstRow + done;
      select(source.shardOf(row));
      int count = (int) Math.min(rows - done, shard.endRow() - row);
      reader.read((row - shard.firstRow()) * dIn, values, done * dIn, count * dIn);
      done += count;
      if (row + count == shard.endRow()) {
        ShardReader.requireUnchanged(shard);
      }
    }
    return new ActivationBatch(firstRow, rows, values);
  }

  private void select(ActivationShard wanted) throws IOException {
    if (wanted == shard && reader != null) {
      return;
    }
    closeReader();
    reader = ShardReader.open(wanted);
    shard = wanted;
  }

  private void closeReader() throws IOException {
    if (reader != null) {
      reader.close();
      reader = null;
    }
  }

  /**
   * Ends reading and closes the open file. Closing twice is fine.
   *
   * @throws IOException if the file cannot be closed
   */
  @Override
  public void close() throws IOException {
    reading.close();
    closeReader();
  }
}
