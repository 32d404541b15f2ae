package io.matryoshka.sae.stream;

import java.time.Duration;
import java.util.Objects;

/**
 * What a run has done.
 *
 * @param rows rows of the whole run
 * @param entries active latents of all rows
 * @param nonFiniteRows rows that held a NaN or an infinity and were stored without latents
 * @param shards number of output files
 * @param resumedRows rows that an earlier run had finished; they are part of {@code rows}
 * @param elapsed the time of this call
 */
public record EncodeResult(
    long rows, long entries, long nonFiniteRows, int shards, long resumedRows, Duration elapsed) {

  /**
   * Checks the parts.
   *
   * @param rows rows of the whole run
   * @param entries active latents of all rows
   * @param nonFiniteRows rows stored without latents because they were not finite
   * @param shards number of output files
   * @param resumedRows rows that an earlier run had finished
   * @param elapsed the time of this call
   */
  public EncodeResult {
    Objects.requireNonNull(elapsed, "elapsed");
  }

  /**
   * Returns the mean number of active latents of a row, over the rows that were finite.
   *
   * @return mean L0, 0 if there are no rows
   */
  public double meanL0() {
    return rows == nonFiniteRows ? 0 : (double) entries / (rows - nonFiniteRows);
  }

  /**
   * Returns the speed of this call.
   *
   * @return rows encoded by this call per second, reading and writing included
   */
  public double rowsPerSecond() {
    double seconds = elapsed.toNanos() / 1e9;
    return seconds == 0 ? 0 : (rows - resumedRows) / seconds;
  }
}
