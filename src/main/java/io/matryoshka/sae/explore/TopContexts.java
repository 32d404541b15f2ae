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
 * never strongest.
 *
 * <p>Memory: {@code count * (4 * (2 * reach + 1) + 12)} bytes a latent, and the sparse latents of
 * the last few batches. Not safe for use by several threads.
 */
public final class TopContexts implements LatentPass.Collector {

  private record Batch(long firstRow, SparseLatents latents) {
    long endRow() {
      return firstRow + latents.rows();
    }
  }

  private final int count;
  private final int reach;
  private final int span;
  private final int[] sizes;

  /** {@code [d_sae, count]}, strongest first. */
  private final float[] activations;

  private final long[] rows;

  /** {@code [d_sae, count, span]}. */
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
    this.count = count;
    this.reach = reach;
    span = 2 * reach + 1;
    long floats = (long) dSae * count * span;
    if (count < 1 || reach < 0 || floats > Integer.MAX_VALUE - 8) {
      throw new IllegalArgumentException(
          "top contexts: expected at least 1 token and a reach from 0, and at most 2^31 floats in"
              + " all, got %d tokens and a reach of %d for %d latents"
                  .formatted(count, reach, dSae));
    }
    sizes = new int[dSae];
    activations = new float[dSae * count];
    rows = new long[dSae * count];
    windows = new float[(int) floats];
  }

  @Override
  public void add(long firstRow, float[] x, SparseLatents latents, BitSet leftOut) {
    if (firstRow != endRow) {
      throw new IllegalArgumentException(
          "top contexts: expected the rows from " + endRow + ", got those from " + firstRow);
    }
    recent.addLast(new Batch(firstRow, latents));
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
    int base = latent * count;
    int size = sizes[latent];
    boolean fits = size < count ? activation > 0 : activation > activations[base + count - 1];
    if (!fits) {
      return;
    }
    int at = base + size;
    while (at > base && activation > activations[at - 1]) {
      at--;
    }
    int moved = Math.min(size, count - 1) - (at - base);
    System.arraycopy(activations, at, activations, at + 1, moved);
    System.arraycopy(rows, at, rows, at + 1, moved);
    System.arraycopy(windows, at * span, windows, (at + 1) * span, moved * span);
    activations[at] = activation;
    rows[at] = row;
    sizes[latent] = Math.min(count, size + 1);
    for (int i = 0; i < span; i++) {
      long around = row - reach + i;
      boolean known = around >= 0 && around < endRow;
      windows[at * span + i] = known ? activation(around, latent) : 0;
    }
  }

  private float activation(long row, int latent) {
    Batch batch = batchOf(row);
    return batch.latents().activation((int) (row - batch.firstRow()), latent);
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
      long from = Math.max(0, rows[at] - reach);
      long to = Math.min(endRow, rows[at] + reach + 1);
      int offset = (int) (at * span + from - (rows[at] - reach));
      float[] around = Arrays.copyOfRange(windows, offset, offset + (int) (to - from));
      found.add(new TopContext(rows[at], from, around));
    }
    return found;
  }
}
