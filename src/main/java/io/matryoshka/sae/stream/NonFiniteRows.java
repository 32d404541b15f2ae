package io.matryoshka.sae.stream;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stops a run at a row that cannot be encoded, or counts such rows and names the first of them in
 * warnings. Not safe for use by several threads.
 */
public final class NonFiniteRows {

  private static final Logger LOG = LoggerFactory.getLogger(NonFiniteRows.class);

  private static final int MAX_NAMED = 10;

  private final ActivationSource source;
  private final boolean skip;
  private final boolean warns;
  private long count;

  /**
   * Starts without a row.
   *
   * @param source the activations, to name rows by file
   * @param rules whether a row is skipped or stops the run
   */
  public NonFiniteRows(ActivationSource source, RowRules rules) {
    this.source = source;
    this.skip = rules.skipsNonFinite();
    this.warns = rules.warns();
  }

  /**
   * Takes note of a row.
   *
   * @param row index of the row within the source
   * @param fault what is wrong with it, of {@link RowFaults}
   * @throws ActivationException if such a row stops the run
   */
  public void add(long row, String fault) throws ActivationException {
    ActivationShard shard = source.shardOf(row);
    String named =
        "%s, row %d (row %d of all): %s"
            .formatted(shard.where(), row - shard.firstRow(), row, fault);
    if (!skip) {
      throw new ActivationException(
          named
              + ", so that its latents would be NaN; correct the file, or have such rows left out"
              + " (--skip-non-finite)");
    }
    if (warns && count < MAX_NAMED) {
      LOG.warn("left out: {}", named);
    } else if (warns && count == MAX_NAMED) {
      LOG.warn("left out: more such rows, which are counted but not named");
    }
    count++;
  }

  /**
   * Returns how many rows were left out.
   *
   * @return rows, 0 where such a row stops the run
   */
  public long count() {
    return count;
  }
}
