package io.matryoshka.sae.stream;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.Selection;
import io.matryoshka.sae.SparseLatents;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.BitSet;
import java.util.Optional;

/**
 * Encodes batches of a source by {@link RowRules}: only rows that the mask keeps and that can be
 * encoded are handed to the SAE. Not safe for use by several threads.
 */
public final class BatchEncoder {

  private final SAE sae;
  private final Selection selection;
  private final RowRules rules;
  private final RowFaults faults;
  private final NonFiniteRows nonFiniteRows;

  /**
   * Makes an encoder.
   *
   * @param sae the SAE; stays open
   * @param source the activations that batches come from, of the SAE's {@code d_in}
   * @param selection which pre-activations become active; empty for the SAE's own rule
   * @param rules which rows count
   * @throws IllegalArgumentException if source or mask do not fit
   * @throws IOException if the mask cannot be read
   */
  public BatchEncoder(
      SAE sae, ActivationSource source, Optional<Selection> selection, RowRules rules)
      throws IOException {
    requireFits(sae, source, rules);
    this.sae = sae;
    this.selection = selection.orElse(sae.defaultSelection());
    this.rules = rules;
    this.faults = RowFaults.of(sae);
    this.nonFiniteRows = new NonFiniteRows(source, rules);
  }

  /** Checks that a source and a mask are those of an SAE. */
  static void requireFits(SAE sae, ActivationSource source, RowRules rules) throws IOException {
    if (source.dIn() != sae.dIn()) {
      throw new IllegalArgumentException(
          ("activations of d_in = %d do not fit an SAE of d_in = %d%s; check that they come from"
                  + " the hook point of this SAE")
              .formatted(
                  source.dIn(),
                  sae.dIn(),
                  sae.config().hookPoint().map(h -> " (hook point " + h + ")").orElse("")));
    }
    rules.requireFits(source);
  }

  /**
   * Encodes a batch.
   *
   * @param batch rows of the source; not changed
   * @return its latents
   * @throws ActivationException if a row that cannot be encoded stops the run
   * @throws IOException if the mask cannot be read
   */
  public EncodedBatch encode(ActivationBatch batch) throws IOException {
    BitSet masked = maskedRows(batch);
    BitSet nonFinite = new BitSet(batch.rows());
    for (int row = masked.nextClearBit(0); row < batch.rows(); row = masked.nextClearBit(row + 1)) {
      Optional<String> fault = faults.before(batch.values(), row);
      if (fault.isPresent()) {
        nonFiniteRows.add(batch.firstRow() + row, fault.get());
        nonFinite.set(row);
      }
    }
    SparseLatents latents = encodeOthers(batch, masked, nonFinite);
    // Rows that broke while they were normalised go, too; the others do not depend on them then.
    while (dropBroken(batch, masked, nonFinite, latents)) {
      latents = encodeOthers(batch, masked, nonFinite);
    }
    return new EncodedBatch(batch.firstRow(), batch.rows(), masked, nonFinite, latents);
  }

  private BitSet maskedRows(ActivationBatch batch) throws IOException {
    BitSet masked = new BitSet(batch.rows());
    if (rules.mask().isPresent()) {
      boolean[] kept = rules.kept(batch);
      for (int row = 0; row < kept.length; row++) {
        masked.set(row, !kept[row]);
      }
    }
    return masked;
  }

  private boolean dropBroken(
      ActivationBatch batch, BitSet masked, BitSet nonFinite, SparseLatents latents)
      throws ActivationException {
    BitSet leftOut = union(masked, nonFinite);
    boolean found = false;
    int encoded = 0;
    for (int row = leftOut.nextClearBit(0);
        row < batch.rows();
        row = leftOut.nextClearBit(row + 1)) {
      Optional<String> fault = RowFaults.after(latents, encoded++);
      if (fault.isPresent()) {
        nonFiniteRows.add(batch.firstRow() + row, fault.get());
        nonFinite.set(row);
        found = true;
      }
    }
    return found;
  }

  private SparseLatents encodeOthers(ActivationBatch batch, BitSet masked, BitSet nonFinite) {
    BitSet leftOut = union(masked, nonFinite);
    int rows = batch.rows() - leftOut.cardinality();
    if (rows == 0) {
      return SparseLatents.of(new int[1], new int[0], new float[0], sae.dSae());
    }
    float[] x = leftOut.isEmpty() ? batch.values() : without(leftOut, batch, rows);
    return sae.encodeSparse(FloatBuffer.wrap(x), rows, selection);
  }

  private float[] without(BitSet leftOut, ActivationBatch batch, int rows) {
    int dIn = sae.dIn();
    float[] kept = new float[rows * dIn];
    int next = 0;
    for (int row = leftOut.nextClearBit(0);
        row < batch.rows();
        row = leftOut.nextClearBit(row + 1)) {
      System.arraycopy(batch.values(), row * dIn, kept, next++ * dIn, dIn);
    }
    return kept;
  }

  private static BitSet union(BitSet a, BitSet b) {
    BitSet both = (BitSet) a.clone();
    both.or(b);
    return both;
  }
}
