package io.matryoshka.sae.stream;

import io.matryoshka.sae.SparseLatentsWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Stores all batches in one file. */
final class FileSink implements EncodedSink {

  private final Path file;
  private final SparseLatentsWriter writer;
  private long maskedRows;
  private long nonFiniteRows;

  FileSink(Path file, int width) throws IOException {
    this.file = file;
    try {
      this.writer = SparseLatentsWriter.create(file, width);
    } catch (IOException e) {
      throw RunFolder.failureOfOneFile(file, e);
    }
  }

  @Override
  public void accept(EncodedBatch batch) throws IOException {
    try {
      batch.appendTo(writer, 0, batch.rows());
      maskedRows += batch.maskedRows(0, batch.rows());
      nonFiniteRows += batch.nonFiniteRows(0, batch.rows());
    } catch (IOException e) {
      throw RunFolder.failureOfOneFile(file, e);
    }
  }

  /** Puts the file in place, with the shape of the source if that is one array. */
  void finish(ActivationSource source) throws IOException {
    List<Long> shape = source.shards().get(0).shape();
    try {
      if (source.shards().size() == 1) {
        writer.finish(
            shape.subList(0, shape.size() - 1).stream().mapToLong(Long::longValue).toArray());
      } else {
        writer.finish();
      }
    } catch (IOException e) {
      throw RunFolder.failureOfOneFile(file, e);
    }
  }

  long entries() {
    return writer.entries();
  }

  long maskedRows() {
    return maskedRows;
  }

  long nonFiniteRows() {
    return nonFiniteRows;
  }

  @Override
  public void close() throws IOException {
    writer.close();
  }
}
