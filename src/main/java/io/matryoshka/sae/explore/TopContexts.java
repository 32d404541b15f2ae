package io.matryoshka.sae.explore;

import io.matryoshka.sae.SparseLatents;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.List;

/**
 * Finds the tokens where each latent is strongest, with the latent's activation on the tokens
 * around, for all latents in one pass. Of equal activations the earlier row comes first, and NaN is
 * never strongest. A context ends before a row that is left out.
 *
 * <p>Memory: {@code count * (4 * (2 * reach + 1) + 12)} bytes a latent, and the sparse latents of
 * the last few batches. Not safe for use by several threads.
 */
public final class TopContexts implements LatentPass.Collector {

  private record Batch(long firstRow, SparseLatents latents, BitSet leftOut) {
    long endRow() {
      return firstRow + latents.rows();
    }
  }

  /** Which contexts are kept, and which of them come first. */
  interface Ranking {

    /** By activation, for each latent. */
    Ranking STRONGEST =
        new Ranking() {
          @Override
          public int slot(int latent, float activation) {
            return activation > 0 ? latent : -1;
          }

          @Override
          public float score(long row, float activation) {
            return activation;
          }
        };

    /** The list that an activation may go into, -1 for none. */
    int slot(int latent, float activation);

    /** Above 0; the largest come first, ties by the earlier row. */
    float score(long row, float activation);
  }

  private final Ranking ranking;
  private final int count;
  private final int reach;
  private final int span;
  private final int[] sizes;

  /** {@code [slots, count]}, largest first. */
  private final float[] scores;

  private final long[] rows;

  /** {@code [slots, count, span]}. */
  private final float[] windows;

  /** Batches that rows not yet taken, or their contexts, lie in. */
  private final Deque<Batch> recent = new ArrayDeque<>();

  private long nextRow;
  private long endRow;

  /**
   * Starts without rows.
   *
   * @param dSae number of latents
   * @param count tokens to keep for each latent, at least 1
   * @param reach tokens of context on each side, at least 0
   * @throws IllegalArgumentException if a number is out of range, or the contexts of all latents do
   *     not fit a Java array
   */
  public TopContexts(int dSae, int count, int reach) {
    this(dSae, count, reach, Ranking.STRONGEST);
  }

  TopContexts(int slots, int count, int reach, Ranking ranking) {
    this.ranking = ranking;
    this.count = count;
    this.reach = reach;
    span = 2 * reach + 1;
    long floats = (long) slots * count * span;
    if (count < 1 || reach < 0 || floats > Integer.MAX_VALUE - 8) {
      throw new IllegalArgumentException(
          "top contexts: expected at least 1 token and a reach from 0, and at most 2^31 floats in"
              + " all, got %d tokens and a reach of %d for %d latents"
                  .formatted(count, reach, slots));
    }
    sizes = new int[slots];
    scores = new float[slots * count];
    rows = new long[slots * count];
    windows = new float[(int) floats];
  }

  @Override
  public void add(long firstRow, float[] x, SparseLatents latents, BitSet leftOut) {
    if (firstRow != endRow) {
      throw new IllegalArgumentException(
          "top contexts: expected the rows from %s, got those from %s".formatted(endRow, firstRow));
    }
    recent.addLast(new Batch(firstRow, latents, leftOut));
    endRow = firstRow + latents.rows();
    takeBelow(endRow - reach);
  }

  /** Takes the rows whose context has been seen. */
  private void takeBelow(long end) {
    for (; nextRow < end; nextRow++) {
      while (recent.getFirst().endRow() <= nextRow - reach) {
        recent.removeFirst();
      }
      long row = nextRow;
      Batch batch = batchOf(row);
      batch.latents().forEach((int) (row - batch.firstRow()), (latent, a) -> offer(latent, row, a));
    }
  }

  private Batch batchOf(long row) {
    for (Batch batch : recent) {
      if (row < batch.endRow()) {
        return batch;
      }
    }
    throw new IllegalStateException("row " + row + " has not been seen");
  }

  private void offer(int latent, long row, float activation) {
    int slot = ranking.slot(latent, activation);
    if (slot < 0) {
      return;
    }
    int base = slot * count;
    int size = sizes[slot];
    float score = ranking.score(row, activation);
    if (size == count && !(score > scores[base + count - 1])) {
      return;
    }
    int at = base + size;
    while (at > base && score > scores[at - 1]) {
      at--;
    }
    int moved = Math.min(size, count - 1) - (at - base);
    System.arraycopy(scores, at, scores, at + 1, moved);
    System.arraycopy(rows, at, rows, at + 1, moved);
    System.arraycopy(windows, at * span, windows, (at + 1) * span, moved * span);
    scores[at] = score;
    rows[at] = row;
    sizes[slot] = Math.min(count, size + 1);
    for (int i = 0; i < span; i++) {
      long around = row - reach + i;
      boolean known = around >= 0 && around < endRow;
      windows[at * span + i] = known ? activation(around, latent) : 0;
    }
  }

  private float activation(long row, int latent) {
    Batch batch = batchOf(row);
    int at = (int) (row - batch.firstRow());
    return batch.leftOut().get(at) ? Float.NaN : batch.latents().activation(at, latent);
  }

  /** Whether a place of a window is one of a row that counts; a context ends before the others. */
  private boolean counts(int place) {
    return !Float.isNaN(windows[place]);
  }

  /**
   * Returns the strongest tokens of a latent among the rows so far, which are then complete: no
   * further row may be added.
   *
   * @param latent index of the latent
   * @return strongest first; fewer than asked for if the latent fired less often, empty if never
   */
  public List<TopContext> strongest(int latent) {
    takeBelow(endRow);
    List<TopContext> found = new ArrayList<>();
    for (int i = 0; i < sizes[latent]; i++) {
      int at = latent * count + i;
      int middle = at * span + reach;
      int before = 0;
      while (before < Math.min(reach, rows[at]) && counts(middle - before - 1)) {
        before++;
      }
      int after = 0;
      while (after < Math.min(reach, endRow - rows[at] - 1) && counts(middle + after + 1)) {
        after++;
      }
      float[] around = Arrays.copyOfRange(windows, middle - before, middle + after + 1);
      found.add(new TopContext(rows[at], rows[at] - before, around));
    }
    return found;
  }
}
