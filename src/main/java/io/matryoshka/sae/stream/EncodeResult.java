package io.matryoshka.sae.stream;

import java.time.Duration;
import java.util.Objects;

/**
 * What a run has done.
 *
 * @param rows rows of the whole run
 * @param entries active latents of all rows
 * @param maskedRows rows that the mask left out, stored without latents
 * @param nonFiniteRows other rows that could not be encoded, stored without latents
 * @param shards number of output files
 * @param resumedRows rows that an earlier run had finished; they are part of {@code rows}
 * @param elapsed the time of this call
 */
public record EncodeResult(
    long rows,
    long entries,
    long maskedRows,
    long nonFiniteRows,
    int shards,
    long resumedRows,
    Duration elapsed) {

  /**
   * Checks the parts.
   *
   * @param rows rows of the whole run
   * @param entries active latents of all rows
   * @param maskedRows rows that the mask left out
   * @param nonFiniteRows rows stored without latents because they were not finite
   * @param shards number of output files
   * @param resumedRows rows that an earlier run had finished
   * @param elapsed the time of this call
   */
  public EncodeResult {
    Objects.requireNonNull(elapsed, "elapsed");
  }

  /**
   * Returns the mean number of active latents of a row, over the rows that count.
   *
   * @return mean L0, 0 if there are no such rows
   */
  public double meanL0() {
    long counted = rows - maskedRows - nonFiniteRows;
    return counted == 0 ? 0 : (double) entries / counted;
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
