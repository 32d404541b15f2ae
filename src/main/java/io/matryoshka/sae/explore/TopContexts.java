package io.matryoshka.sae.explore;

import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.internal.state.StateReader;
import io.matryoshka.sae.internal.state.StateWriter;
import io.matryoshka.sae.stream.StateException;
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

  /** Rows that may be taken, or those around them that only stand in contexts. */
  private record Batch(long firstRow, SparseLatents latents, BitSet leftOut, boolean isTaken) {
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

  /**
   * {@code [slots, count, span]}; NaN for a row that does not count, or lies outside the source.
   */
  private final float[] windows;

  /** Batches that rows not yet taken, or their contexts, lie in. */
  private final Deque<Batch> recent = new ArrayDeque<>();

  /** The first row seen; batches may begin anywhere, as those of a range do. */
  private long startRow = -1;

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
    see(new Batch(firstRow, latents, leftOut, true));
  }

  @Override
  public void addAround(long firstRow, SparseLatents latents, BitSet leftOut) {
    see(new Batch(firstRow, latents, leftOut, false));
  }

  private void see(Batch batch) {
    if (startRow < 0) {
      startRow = batch.firstRow();
      nextRow = startRow;
      endRow = startRow;
    }
    if (batch.firstRow() != endRow) {
      throw new IllegalArgumentException(
          "top contexts: expected the rows from %s, got those from %s"
              .formatted(endRow, batch.firstRow()));
    }
    recent.addLast(batch);
    endRow = batch.endRow();
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
      if (batch.isTaken()) {
        int at = (int) (row - batch.firstRow());
        batch.latents().forEach(at, (latent, a) -> offer(latent, row, a));
      }
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
    int at = place(slot, ranking.score(row, activation), row);
    if (at < 0) {
      return;
    }
    for (int i = 0; i < span; i++) {
      long around = row - reach + i;
      boolean known = around >= startRow && around < endRow;
      windows[at * span + i] = known ? activation(around, latent) : Float.NaN;
    }
  }

  /** Makes room for a row in its list; -1 if it does not come in. */
  private int place(int slot, float score, long row) {
    int base = slot * count;
    int size = sizes[slot];
    int at = base + size;
    while (at > base && comesBefore(score, row, at - 1)) {
      at--;
    }
    if (at == base + count) {
      return -1;
    }
    int moved = Math.min(size, count - 1) - (at - base);
    System.arraycopy(scores, at, scores, at + 1, moved);
    System.arraycopy(rows, at, rows, at + 1, moved);
    System.arraycopy(windows, at * span, windows, (at + 1) * span, moved * span);
    scores[at] = score;
    rows[at] = row;
    sizes[slot] = Math.min(count, size + 1);
    return at;
  }

  /** The order of a list: the larger score first, of equal ones the earlier row. */
  private boolean comesBefore(float score, long row, int place) {
    return score > scores[place] || (score == scores[place] && row < rows[place]);
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
   * Joins the tokens of other rows, such as those of another range. The result does not depend on
   * the order in which parts are joined. Both are then complete: no further row may be added.
   *
   * @param other contexts of as many latents, tokens and reach
   * @throws IllegalArgumentException if these differ, or the parts hold the same token
   */
  public void merge(TopContexts other) {
    if (other.sizes.length != sizes.length || other.count != count || other.reach != reach) {
      throw new IllegalArgumentException(
          ("merge: expected contexts of %d latents, %d tokens and a reach of %d, got those of %d"
                  + " latents, %d tokens and a reach of %d")
              .formatted(sizes.length, count, reach, other.sizes.length, other.count, other.reach));
    }
    takeBelow(endRow);
    other.takeBelow(other.endRow);
    for (int slot = 0; slot < sizes.length; slot++) {
      for (int i = slot * count; i < slot * count + other.sizes[slot]; i++) {
        merge(slot, other.scores[i], other.rows[i], other.windows, i * span);
      }
    }
  }

  private void merge(int slot, float score, long row, float[] from, int begin) {
    for (int i = slot * count; i < slot * count + sizes[slot]; i++) {
      if (rows[i] == row) {
        throw new IllegalArgumentException(
            "merge: both parts hold row %d; give the part of every range once".formatted(row));
      }
    }
    int at = place(slot, score, row);
    if (at >= 0) {
      System.arraycopy(from, begin, windows, at * span, span);
    }
  }

  void writeTo(StateWriter out) {
    takeBelow(endRow);
    for (int slot = 0; slot < sizes.length; slot++) {
      int size = sizes[slot];
      out.add(size);
      out.add(scores, slot * count, size);
      out.add(rows, slot * count, size);
      out.add(windows, slot * count * span, size * span);
    }
  }

  /** Joins the tokens of a state that has the same sizes. */
  void mergeFrom(StateReader in) throws StateException {
    float[] score = new float[count];
    long[] row = new long[count];
    float[] window = new float[count * span];
    takeBelow(endRow);
    for (int slot = 0; slot < sizes.length; slot++) {
      int size = in.nextCount(count);
      in.next(score, 0, size);
      in.next(row, 0, size);
      in.next(window, 0, size * span);
      for (int i = 0; i < size; i++) {
        merge(slot, score[i], row[i], window, i * span);
      }
    }
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
      while (before < reach && counts(middle - before - 1)) {
        before++;
      }
      int after = 0;
      while (after < reach && counts(middle + after + 1)) {
        after++;
      }
      float[] around = Arrays.copyOfRange(windows, middle - before, middle + after + 1);
      found.add(new TopContext(rows[at], rows[at] - before, around));
    }
    return found;
  }
}
