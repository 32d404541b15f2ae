package io.matryoshka.sae.stream;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.internal.io.DiskFile;
import io.matryoshka.sae.store.StoredFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * Model activations in many files, read as one sequence of rows {@code [rows, d_in]}.
 *
 * <p>Opening reads the header of every file, so that a wrong one is found before any work is done.
 * In a {@code .safetensors} file the activations are the tensors that the caller names, else the
 * only floating tensor of shape {@code [..., d_in]} with two dimensions or more; in a {@code .npy}
 * file they are its array, of either order. Leading dimensions are flattened to rows; one vector
 * {@code [d_in]} is one row where {@code d_in} is known. float16, bfloat16, float32 and float64 are
 * read; float64 is rounded to float.
 *
 * <pre>{@code
 * ActivationSource source = ActivationSource.open(List.of(Path.of("activations")), sae.dIn());
 * try (ActivationBatches batches = source.batches(1024, 0)) {
 *   while (batches.hasNext()) {
 *     ActivationBatch batch = batches.next();
 *     SparseLatents latents = sae.encodeSparse(FloatBuffer.wrap(batch.values()), batch.rows());
 *   }
 * }
 * }</pre>
 *
 * <p>A source is immutable, holds no file open and is safe for concurrent use; each {@link
 * ActivationBatches} holds at most one file open and is to be closed.
 */
public final class ActivationSource {

  private final List<ActivationShard> shards;
  private final int dIn;
  private final long rows;
  private final Optional<ObjectNode> origin;

  private ActivationSource(List<ActivationShard> shards, Optional<ObjectNode> origin) {
    this.origin = origin;
    this.shards = List.copyOf(shards);
    this.dIn = shards.get(0).dIn();
    this.rows = shards.get(shards.size() - 1).endRow();
  }

  /**
   * Opens files whose {@code d_in} is that of the first one.
   *
   * @param inputs files, and folders that stand for the files in them, in natural order
   * @return the source
   * @throws ActivationException if a file does not hold activations, or the files do not agree
   * @throws IOException if a file is missing, unreadable or malformed
   */
  public static ActivationSource open(List<Path> inputs) throws IOException {
    return open(inputs, SourceOptions.defaults());
  }

  /**
   * Opens files of activations of a known width.
   *
   * @param inputs files, and folders that stand for the files in them, in natural order
   * @param dIn the width that every file must have, such as that of the SAE
   * @return the source
   * @throws ActivationException if a file does not hold activations of this width
   * @throws IOException if a file is missing, unreadable or malformed
   */
  public static ActivationSource open(List<Path> inputs, int dIn) throws IOException {
    return open(inputs, SourceOptions.defaults().dIn(dIn));
  }

  /**
   * Opens files of activations.
   *
   * @param inputs files, and folders that stand for the files in them, in natural order
   * @param options width, tensors and type; {@link SourceOptions#of} has those of an SAE
   * @return the source
   * @throws ActivationException if a file does not hold such activations, or the files do not agree
   * @throws IOException if a file is missing, unreadable or malformed
   */
  public static ActivationSource open(List<Path> inputs, SourceOptions options) throws IOException {
    requireSome(inputs);
    return openStored(
        ActivationFiles.expandFolders(inputs).stream().map(DiskFile::new).toList(), options);
  }

  /**
   * Opens files of any store; {@link ActivationFiles#inFolder} orders those of a folder. Headers
   * are read several at a time.
   *
   * @param files the files, in the order in which their rows are to be read
   * @param options width, tensors and type; {@link SourceOptions#of} has those of an SAE
   * @return the source
   * @throws ActivationException if a file does not hold such activations, is named twice, or the
   *     files do not agree
   * @throws IOException if a file is missing, unreadable or malformed
   */
  public static ActivationSource openStored(List<? extends StoredFile> files, SourceOptions options)
      throws IOException {
    requireSome(files);
    Set<String> names = new HashSet<>();
    for (StoredFile file : files) {
      if (!names.add(file.name())) {
        throw new ActivationException(
            file.name() + ": the file is named twice among the inputs; name each file once");
      }
    }
    return of(new ShardHeaders(options).readAll(files));
  }

  private static void requireSome(List<?> files) {
    if (files.isEmpty()) {
      throw new IllegalArgumentException("at least one file or folder of activations is needed");
    }
  }

  /**
   * Makes a source of files whose headers were read before, perhaps on another machine. Opens
   * nothing; a file that has changed since is refused when it is read.
   *
   * @param shards the files in the order of their rows, which are counted anew
   * @return the source
   * @throws IllegalArgumentException if there are none
   * @throws ActivationException if the files do not agree
   */
  public static ActivationSource of(List<ActivationShard> shards) throws ActivationException {
    requireSome(shards);
    List<ActivationShard> placed = new ArrayList<>(shards.size());
    long next = 0;
    for (ActivationShard shard : shards) {
      placed.add(shard.at(next));
      next += shard.rows();
    }
    requireOneWidth(placed);
    return new ActivationSource(placed, Optional.empty());
  }

  /**
   * Says what the activations were made from, where their files are made anew for each run. The
   * settings of a run then have this in place of the names, sizes and hashes of the files.
   *
   * @param settings what the values depend on
   * @return the same activations
   */
  public ActivationSource madeFrom(ObjectNode settings) {
    return new ActivationSource(shards, Optional.of(settings.deepCopy()));
  }

  /** What the activations were made from; empty where their files stand for themselves. */
  Optional<ObjectNode> origin() {
    return origin;
  }

  private static void requireOneWidth(List<ActivationShard> shards) throws ActivationException {
    ActivationShard first = shards.get(0);
    for (ActivationShard shard : shards) {
      if (shard.dIn() != first.dIn()) {
        throw new ActivationException(
            "%s has shape %s, but d_in is %d in %s; give files of one width"
                .formatted(shard.where(), shard.shape(), first.dIn(), first.where()));
      }
    }
  }

  /**
   * Returns the width of a row.
   *
   * @return {@code d_in}
   */
  public int dIn() {
    return dIn;
  }

  /**
   * Returns the number of rows of all files.
   *
   * @return rows, 0 if every file is empty
   */
  public long rows() {
    return rows;
  }

  /**
   * Returns the files in the order of their rows.
   *
   * @return an unmodifiable list, not empty
   */
  public List<ActivationShard> shards() {
    return shards;
  }

  /**
   * Finds the file that holds a row.
   *
   * @param row index of the row within the whole source
   * @return the file; the row's index within it is {@code row - shard.firstRow()}
   * @throws IndexOutOfBoundsException if there is no such row
   */
  public ActivationShard shardOf(long row) {
    Objects.checkIndex(row, rows);
    int low = 0;
    int high = shards.size() - 1;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (shards.get(middle).endRow() <= row) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return shards.get(low);
  }

  /**
   * Reads rows in batches, each while the caller works on the one before. A batch may span files.
   *
   * @param rowsPerBatch rows of every batch but the last, which may be smaller
   * @param fromRow index of the first row, 0 for all, {@link #rows()} for none
   * @return the batches, to be closed by the caller
   * @throws IllegalArgumentException if {@code rowsPerBatch} is below 1, or so large that a batch
   *     does not fit a Java array
   * @throws IndexOutOfBoundsException if {@code fromRow} is out of range
   */
  public ActivationBatches batches(int rowsPerBatch, long fromRow) {
    return batches(rowsPerBatch, fromRow, rows);
  }

  /**
   * Reads the rows of a range in batches, each while the caller works on the one before. Nothing
   * beyond the range is read.
   *
   * @param rowsPerBatch rows of every batch but the last, which may be smaller
   * @param fromRow index of the first row
   * @param toRow index of the row after the last
   * @return the batches, to be closed by the caller
   * @throws IllegalArgumentException if {@code rowsPerBatch} is below 1, or so large that a batch
   *     does not fit a Java array
   * @throws IndexOutOfBoundsException if the range does not lie in {@code 0..rows()}
   */
  public ActivationBatches batches(int rowsPerBatch, long fromRow, long toRow) {
    if (rowsPerBatch < 1 || (long) rowsPerBatch * dIn > Integer.MAX_VALUE - 8) {
      throw new IllegalArgumentException(
          "rows per batch must lie in 1..%s for d_in = %s, got %s"
              .formatted((Integer.MAX_VALUE - 8) / dIn, dIn, rowsPerBatch));
    }
    if (fromRow < 0 || fromRow > rows) {
      throw new IndexOutOfBoundsException(
          "first row must lie in 0..%s, got %s".formatted(rows, fromRow));
    }
    if (toRow < fromRow || toRow > rows) {
      throw new IndexOutOfBoundsException(
          "end row must lie in %s..%s, got %s".formatted(fromRow, rows, toRow));
    }
    return new ActivationBatches(this, rowsPerBatch, fromRow, toRow);
  }

  /**
   * Checks that a range of rows is one of whole batches, so that the same rows are taken together
   * as in a pass over all.
   *
   * @param rowsPerBatch rows of every batch but the last of the source
   * @param fromRow index of the first row
   * @param toRow index of the row after the last
   * @throws IndexOutOfBoundsException if the range does not lie in {@code 0..rows()}
   * @throws IllegalArgumentException if it begins or ends within a batch
   */
  public void requireBatches(int rowsPerBatch, long fromRow, long toRow) {
    Objects.checkFromToIndex(fromRow, toRow, rows);
    if (fromRow % rowsPerBatch != 0 || (toRow % rowsPerBatch != 0 && toRow != rows)) {
      throw new IllegalArgumentException(
          "rows %d to %d: a range must begin and end at multiples of the %d rows of a batch, or end with the last of %d rows"
              .formatted(fromRow, toRow, rowsPerBatch, rows));
    }
  }

  /**
   * Rounds the end of a range up to a whole batch.
   *
   * @param toRow index of the row after the last of the range, 0 to {@link #rows()}
   * @param rowsPerBatch rows of every batch but the last of the source
   * @return the next multiple of {@code rowsPerBatch}, at most {@link #rows()}
   */
  public long wholeBatches(long toRow, int rowsPerBatch) {
    long batches = -Math.floorDiv(-toRow, (long) rowsPerBatch); // rounded up
    return Math.min(rows, batches * rowsPerBatch);
  }
}
