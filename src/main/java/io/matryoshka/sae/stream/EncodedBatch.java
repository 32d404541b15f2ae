package io.matryoshka.sae.stream;

import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.SparseLatentsWriter;
import java.io.IOException;
import java.util.BitSet;

/**
 * The latents of consecutive rows of a source.
 *
 * @param firstRow index of the first row within the source
 * @param rows number of rows
 * @param masked the rows, counted from {@code firstRow}, that the mask leaves out
 * @param nonFinite the other rows that cannot be encoded and are left out
 * @param latents the latents of the rows that count, in order; has no rows if there are none
 */
public record EncodedBatch(
    long firstRow, int rows, BitSet masked, BitSet nonFinite, SparseLatents latents) {

  /**
   * Returns the index of the row after the last.
   *
   * @return {@code firstRow + rows}
   */
  public long endRow() {
    return firstRow + rows;
  }

  /**
   * Returns the rows that do not count.
   *
   * @return a new set, counted from {@code firstRow}
   */
  public BitSet leftOut() {
    BitSet both = (BitSet) masked.clone();
    both.or(nonFinite);
    return both;
  }

  /**
   * Returns the latents with an empty row for each that is left out, and without what undoes a
   * normalisation.
   *
   * @return {@link #rows} rows
   */
  public SparseLatents allRows() {
    BitSet leftOut = leftOut();
    if (leftOut.isEmpty()) {
      return latents;
    }
    int[] stored = latents.rowOffsets();
    int[] offsets = new int[rows + 1];
    int next = 0;
    for (int row = 0; row < rows; row++) {
      next += leftOut.get(row) ? 0 : 1;
      offsets[row + 1] = stored[next];
    }
    return SparseLatents.of(offsets, latents.latents(), latents.activations(), latents.width());
  }

  /**
   * Returns which rows count.
   *
   * @return {@code [rows]}, false for each that is left out
   */
  public boolean[] counted() {
    BitSet leftOut = leftOut();
    boolean[] counted = new boolean[rows];
    for (int row = 0; row < rows; row++) {
      counted[row] = !leftOut.get(row);
    }
    return counted;
  }

  /** Appends the rows {@code from .. to - 1}, counted within the batch. */
  void appendTo(SparseLatentsWriter writer, int from, int to) throws IOException {
    BitSet leftOut = leftOut();
    int stored = from - leftOut.get(0, from).cardinality();
    for (int row = from; row < to; ) {
      int end = leftOut.nextSetBit(row);
      end = end < 0 ? to : Math.min(end, to);
      if (end > row) {
        boolean all = end - row == latents.rows();
        writer.append(all ? latents : latents.rows(stored, stored + end - row));
        stored += end - row;
      }
      int next = Math.min(leftOut.nextClearBit(end), to);
      writer.appendEmpty(next - end);
      row = next;
    }
  }

  int maskedRows(int from, int to) {
    return masked.get(from, to).cardinality();
  }

  int nonFiniteRows(int from, int to) {
    return nonFinite.get(from, to).cardinality();
  }
}
