package io.matryoshka.sae.stream;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.Selection;
import io.matryoshka.sae.SparseLatents;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.BitSet;

/** Encodes batches of rows, those that are finite. */
final class BatchEncoder {

  private static final int ABSOLUTE = 0x7fffffff;
  private static final int INFINITY = 0x7f800000;

  private final SAE sae;
  private final ActivationSource source;
  private final Selection selection;
  private final boolean nonFiniteAsEmpty;

  BatchEncoder(SAE sae, ActivationSource source, EncodeOptions options) {
    this.sae = sae;
    this.source = source;
    this.selection = options.selection().orElse(sae.defaultSelection());
    this.nonFiniteAsEmpty = options.nonFiniteAsEmpty();
  }

  EncodedBatch encode(ActivationBatch batch) throws IOException {
    BitSet nonFinite = nonFiniteRows(batch);
    float[] x = batch.values();
    if (!nonFinite.isEmpty()) {
      if (!nonFiniteAsEmpty) {
        throw nonFiniteRow(batch.firstRow() + nonFinite.nextSetBit(0));
      }
      removeRows(x, nonFinite, batch.rows());
    }
    int rows = batch.rows() - nonFinite.cardinality();
    SparseLatents latents =
        rows == 0
            ? SparseLatents.of(new int[1], new int[0], new float[0], sae.dSae())
            : sae.encodeSparse(FloatBuffer.wrap(x), rows, selection);
    return new EncodedBatch(batch.firstRow(), batch.rows(), nonFinite, latents);
  }

  private BitSet nonFiniteRows(ActivationBatch batch) {
    BitSet found = new BitSet(batch.rows());
    for (int row = 0; row < batch.rows(); row++) {
      if (largestBits(batch.values(), row * source.dIn(), source.dIn()) >= INFINITY) {
        found.set(row);
      }
    }
    return found;
  }

  /** The largest absolute value as its bits, which are in the order of the values. */
  private static int largestBits(float[] values, int begin, int count) {
    int largest = 0;
    for (int i = begin; i < begin + count; i++) {
      largest = Math.max(largest, Float.floatToRawIntBits(values[i]) & ABSOLUTE);
    }
    return largest;
  }

  private void removeRows(float[] x, BitSet removed, int rows) {
    int dIn = source.dIn();
    int kept = 0;
    for (int row = removed.nextClearBit(0); row < rows; row = removed.nextClearBit(row + 1)) {
      System.arraycopy(x, row * dIn, x, kept++ * dIn, dIn);
    }
  }

  private ActivationException nonFiniteRow(long row) {
    ActivationShard shard = source.shardOf(row);
    return new ActivationException(
        shard.where()
            + ", row "
            + (row - shard.firstRow())
            + " (row "
            + row
            + " of all): holds a NaN or an infinity, so that every latent would be NaN; mend the"
            + " file, or have such rows stored without latents (--skip-non-finite)");
  }
}
