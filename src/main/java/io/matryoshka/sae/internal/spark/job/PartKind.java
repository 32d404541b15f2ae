package io.matryoshka.sae.internal.spark.job;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.Serializable;

/**
 * What a job keeps of a range of rows, how it becomes bytes, and how two are joined.
 *
 * @param <T> what is kept
 */
public interface PartKind<T> extends Serializable {

  /** Looks at the rows of a range. */
  T compute(JobInput input, long fromRow, long toRow) throws IOException;

  void save(T part, OutputStream out) throws IOException;

  T load(InputStream in, JobInput input) throws IOException;

  /** Joins what was kept of the rows that follow. */
  void merge(T into, T following);

  /** Rows of a batch; ranges begin and end at its multiples. */
  int batchRows();

  default byte[] bytes(T part) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    save(part, out);
    return out.toByteArray();
  }

  default T part(byte[] bytes, JobInput input) throws IOException {
    return load(new ByteArrayInputStream(bytes), input);
  }
}
