package io.matryoshka.sae.explore;

import io.matryoshka.sae.stream.RowRules;
import java.util.List;
import java.util.Objects;

/**
 * What {@link Explorer} looks for.
 *
 * @param latents the latents to describe; empty for the first {@value #MAX_LATENTS} that fire
 * @param contexts strongest tokens kept for each latent
 * @param reach tokens of context on each side of them
 * @param relatives neighbours, parents and children listed for each latent
 * @param minBoth parents and children fire together on at least this many tokens
 * @param maxPairs pairs of latents counted at a time, see {@link CoactivationCounter}
 * @param rowsPerBatch rows encoded at a time
 * @param rows which rows count
 * @param nearest whether the latents with the nearest directions are searched, which takes time in
 *     proportion to the latents described times {@code d_sae}
 */
public record ExplorerOptions(
    List<Integer> latents,
    int contexts,
    int reach,
    int relatives,
    int minBoth,
    int maxPairs,
    int rowsPerBatch,
    RowRules rows,
    boolean nearest) {

  /** Latents described by default: more would make a report of many megabytes. */
  public static final int MAX_LATENTS = 2048;

  /**
   * Checks the numbers and copies the list.
   *
   * @param latents the latents to describe
   * @param contexts strongest tokens kept for each latent, from 1
   * @param reach tokens of context on each side, from 0
   * @param relatives neighbours, parents and children listed, from 1
   * @param minBoth tokens on which parents and children fire together, from 1
   * @param maxPairs pairs counted at a time, from 2
   * @param rowsPerBatch rows encoded at a time, from 1
   * @param rows which rows count
   * @param nearest whether nearest latents are searched
   * @throws IllegalArgumentException if a number is out of range
   */
  public ExplorerOptions {
    latents = List.copyOf(latents);
    require("contexts", contexts, 1);
    require("reach", reach, 0);
    require("relatives", relatives, 1);
    require("minBoth", minBoth, 1);
    require("maxPairs", maxPairs, 2);
    require("rowsPerBatch", rowsPerBatch, 1);
    Objects.requireNonNull(rows, "rows");
  }

  private static void require(String name, int value, int least) {
    if (value < least) {
      throw new IllegalArgumentException(
          "%s: expected at least %s, got %s".formatted(name, least, value));
    }
  }

  /**
   * Returns the defaults: 8 contexts of 8 tokens on each side, 5 relatives that fire together on 3
   * tokens, {@link CoactivationCounter#DEFAULT_PAIRS} pairs, batches of 1024 rows, every row
   * counts.
   *
   * @return the defaults
   */
  public static ExplorerOptions defaults() {
    return new ExplorerOptions(
        List.of(), 8, 8, 5, 3, CoactivationCounter.DEFAULT_PAIRS, 1024, RowRules.all(), true);
  }

  /**
   * Chooses the latents to describe.
   *
   * @param chosen indices in any order
   * @return changed options
   */
  public ExplorerOptions latents(List<Integer> chosen) {
    Objects.requireNonNull(chosen, "chosen");
    return new ExplorerOptions(
        chosen, contexts, reach, relatives, minBoth, maxPairs, rowsPerBatch, rows, nearest);
  }

  /**
   * Sets how much context is kept.
   *
   * @param count strongest tokens kept for each latent
   * @param tokens tokens of context on each side of them
   * @return changed options
   */
  public ExplorerOptions contexts(int count, int tokens) {
    return new ExplorerOptions(
        latents, count, tokens, relatives, minBoth, maxPairs, rowsPerBatch, rows, nearest);
  }

  /**
   * Sets which rows count.
   *
   * @param rules mask, and what happens at a row that cannot be encoded
   * @return changed options
   */
  public ExplorerOptions rows(RowRules rules) {
    return new ExplorerOptions(
        latents, contexts, reach, relatives, minBoth, maxPairs, rowsPerBatch, rules, nearest);
  }

  /**
   * Sets whether the latents with the nearest directions are searched.
   *
   * @param search false for profiles without neighbours
   * @return changed options
   */
  public ExplorerOptions nearest(boolean search) {
    return new ExplorerOptions(
        latents, contexts, reach, relatives, minBoth, maxPairs, rowsPerBatch, rows, search);
  }
}
