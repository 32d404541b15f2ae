package io.matryoshka.sae.explore;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.eval.LatentStatistics;
import io.matryoshka.sae.eval.LatentTotals;
import io.matryoshka.sae.internal.state.StateReader;
import io.matryoshka.sae.internal.state.StateWriter;
import io.matryoshka.sae.stream.StateException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.BitSet;

/**
 * Counts how often and how strongly each latent fires. Takes 20 bytes a latent. Not safe for use by
 * several threads.
 */
public final class FiringCounter implements LatentPass.Collector {

  private static final String KIND = "firings";

  private final int dSae;
  private final LatentTotals totals;
  private long rows;

  /**
   * Starts at zero.
   *
   * @param dSae number of latents
   */
  public FiringCounter(int dSae) {
    this.dSae = dSae;
    totals = new LatentTotals(dSae);
  }

  @Override
  public void add(long firstRow, float[] x, SparseLatents latents, BitSet leftOut) {
    rows += latents.rows() - leftOut.cardinality();
    for (int row = 0; row < latents.rows(); row++) {
      latents.forEach(row, totals::add);
    }
  }

  /**
   * Joins the counts of other rows, such as those of another range.
   *
   * @param other statistics of as many latents
   * @throws IllegalArgumentException if the numbers of latents differ
   */
  public void merge(LatentStatistics other) {
    if (other.size() != dSae) {
      throw new IllegalArgumentException(
          "merge: expected statistics of %d latents, got those of %d"
              .formatted(dSae, other.size()));
    }
    totals.add(other);
    rows += other.rows();
  }

  /**
   * Returns the counts so far.
   *
   * @return a copy
   */
  public LatentStatistics statistics() {
    return totals.statistics(rows);
  }

  /**
   * Writes the counts so far, to {@link #mergeFrom(InputStream)} them elsewhere.
   *
   * @param out the target; stays open
   * @throws IOException if it cannot be written
   */
  public void save(OutputStream out) throws IOException {
    StateWriter state = new StateWriter(KIND, settings());
    writeTo(state);
    state.writeTo(out);
  }

  /**
   * Joins counts that {@link #save} wrote.
   *
   * @param in begins with the state; is read to its end and no further, and stays open
   * @throws StateException if it is damaged, cut off, or of another number of latents
   * @throws IOException if it cannot be read
   */
  public void mergeFrom(InputStream in) throws IOException {
    StateReader state = StateReader.read(in, KIND, settings());
    mergeFrom(state);
    state.end();
  }

  private ObjectNode settings() {
    return JsonNodeFactory.instance.objectNode().put("d_sae", dSae);
  }

  void writeTo(StateWriter out) {
    LatentStatistics counts = statistics();
    long[] firings = new long[dSae];
    double[] sums = new double[dSae];
    float[] largest = new float[dSae];
    for (int latent = 0; latent < dSae; latent++) {
      firings[latent] = counts.firings(latent);
      sums[latent] = counts.activationSum(latent);
      largest[latent] = counts.maxActivation(latent);
    }
    out.add(rows);
    out.add(firings, 0, dSae);
    out.add(sums);
    out.add(largest, 0, dSae);
  }

  void mergeFrom(StateReader in) throws StateException {
    long otherRows = in.nextLong();
    long[] firings = new long[dSae];
    double[] sums = new double[dSae];
    float[] largest = new float[dSae];
    in.next(firings, 0, dSae);
    in.next(sums);
    in.next(largest, 0, dSae);
    merge(LatentStatistics.of(otherRows, firings, sums, largest));
  }
}
