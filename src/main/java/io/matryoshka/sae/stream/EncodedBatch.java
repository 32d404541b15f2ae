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
 * @param nonFinite the rows, counted from {@code firstRow}, that hold a NaN or an infinity
 * @param latents the latents of the other rows, in order; has no rows if there are none
 */
record EncodedBatch(long firstRow, int rows, BitSet nonFinite, SparseLatents latents) {

  long endRow() {
    return firstRow + rows;
  }

  /** Appends the rows {@code from .. to - 1}, counted within the batch. */
  void appendTo(SparseLatentsWriter writer, int from, int to) throws IOException {
    int stored = from - nonFinite.get(0, from).cardinality();
    for (int row = from; row < to; ) {
      int end = nonFinite.nextSetBit(row);
      end = end < 0 ? to : Math.min(end, to);
      if (end > row) {
        boolean all = end - row == latents.rows();
        writer.append(all ? latents : latents.rows(stored, stored + end - row));
        stored += end - row;
      }
      int next = Math.min(nonFinite.nextClearBit(end), to);
      writer.appendEmpty(next - end);
      row = next;
    }
  }

  int nonFiniteRows(int from, int to) {
    return nonFinite.get(from, to).cardinality();
  }
}
