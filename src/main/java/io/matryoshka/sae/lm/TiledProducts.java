package io.matryoshka.sae.lm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.matryoshka.sae.internal.kernel.torch.Crew;
import io.matryoshka.sae.internal.kernel.torch.Workers;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Products of rows with the weight matrices of one pass: {@code x w^T}, cut into tiles that the
 * {@link Workers} compute, each with libtorch on that thread alone. libtorch's own threads would
 * have to be woken for each operation, and spin for milliseconds after it: a token takes thousands
 * of them.
 *
 * <p>A worker widens the rows of a tile from bfloat16 to memory that stays in the processor's cache
 * and multiplies there, so that a matrix is read once, in the type of its file. The size of a tile
 * depends on that of the matrix alone, so the numbers do not depend on the number of threads. What
 * is one tile is computed by the calling thread.
 *
 * <p>Results have the shape of {@code x}, {@code [n, d_in]} or {@code [batch, length, d_in]}, with
 * as many columns as the matrix has rows.
 */
final class TiledProducts {

  /** Rows of {@code x} in a tile at most. */
  private static final int ROWS = 256;

  /**
   * Numbers of a matrix in a tile: 2 MiB of float32, for the cache that cores share. Twice as many
   * are no faster on two cores and leave less for many; half as many take a sixth longer.
   */
  private static final int NUMBERS = 1 << 19;

  /** Tasks of a product for each worker, so that one that is slower gets fewer tiles. */
  private static final int TASKS_PER_WORKER = 2;

  private final ModelKernels kernels = ModelKernels.gemma();
  private final int product;
  private final int scratchSize;
  private final NDManager scope;
  private final Crew crew = new Crew();
  private final Queue<NDArray> scratches = new ConcurrentLinkedQueue<>();

  /**
   * Prepares for a pass.
   *
   * @param product number of the type in which matrices are multiplied
   * @param largestInner the largest {@code d_in}
   * @param scope owns 2 MiB for each worker
   */
  TiledProducts(int product, int largestInner, NDManager scope) {
    this.product = product;
    this.scratchSize = Math.max(NUMBERS, largestInner);
    this.scope = scope;
  }

  /** Tells whether a product with each matrix of so many numbers is one tile. */
  static boolean isOneTile(long rows, long numbers) {
    return rows <= ROWS && numbers <= NUMBERS;
  }

  /** Multiplies with a matrix {@code [d_out, d_in]}. */
  NDArray linear(NDArray x, NDArray w, NDManager owner) {
    return linears(x, List.of(w), owner).get(0);
  }

  /** Multiplies with several matrices. */
  List<NDArray> linears(NDArray x, List<NDArray> matrices, NDManager owner) {
    List<NDArray> results = new ArrayList<>();
    List<Consumer<NDArray>> tasks = new ArrayList<>();
    for (NDArray w : matrices) {
      TileTask task = (out, tiles, s) -> kernels.run("linear_tiles", x, w, out, tiles, product, s);
      results.add(plan(x, w, task, tasks, owner));
    }
    runWithScratch(tasks);
    return results;
  }

  /** The gated unit of the MLP: {@code gelu(x gate^T) * (x up^T)}. */
  NDArray gated(NDArray x, NDArray gate, NDArray up, NDManager owner) {
    List<Consumer<NDArray>> tasks = new ArrayList<>();
    TileTask task =
        (out, tiles, s) -> kernels.run("gated_tiles", x, gate, up, out, tiles, product, s);
    NDArray result = plan(x, gate, task, tasks, owner);
    runWithScratch(tasks);
    return result;
  }

  /**
   * Computes logits of some ids.
   *
   * @param states rows after the final norm, several arrays {@code [n, hidden]}
   * @param head rows of the unembedding, {@code [ids, hidden]}
   * @param cap the soft cap, 0 for none
   * @return {@code [n, ids]} of each
   */
  List<NDArray> logits(List<NDArray> states, NDArray head, double cap, NDManager owner) {
    List<NDArray> results = new ArrayList<>();
    List<Consumer<NDArray>> tasks = new ArrayList<>();
    for (NDArray x : states) {
      TileTask task =
          (out, tiles, s) -> kernels.run("logits_tiles", x, head, out, tiles, cap, product, s);
      results.add(plan(x, head, task, tasks, owner));
    }
    runWithScratch(tasks);
    return results;
  }

  /** Computes some tiles of a product into their places. */
  private interface TileTask {
    void run(NDArray out, long[] tiles, NDArray scratch);
  }

  /** Makes the array of a product, and adds the tasks that fill it. */
  private NDArray plan(
      NDArray x, NDArray w, TileTask task, List<Consumer<NDArray>> tasks, NDManager owner) {
    NDArray out = kernels.call(owner, "space", x, w.getShape().get(0));
    for (long[] tiles : cut(x, w)) {
      tasks.add(scratch -> task.run(out, tiles, scratch));
    }
    return out;
  }

  /**
   * Cuts a product into tiles, and these into some tasks for each worker.
   *
   * @return for each task the parts of rows, the parts of the matrix, its first tile and the one
   *     after its last
   */
  private static List<long[]> cut(NDArray x, NDArray w) {
    long inner = w.getShape().get(1);
    long rows = parts(x.size() / inner, ROWS);
    long columns = parts(w.getShape().get(0), Math.max(1, NUMBERS / inner));
    long tiles = rows * columns;
    long longest = Math.max(1, tiles / (TASKS_PER_WORKER * Workers.count()));
    List<long[]> tasks = new ArrayList<>();
    for (long first = 0; first < tiles; first += longest) {
      tasks.add(new long[] {rows, columns, first, Math.min(tiles, first + longest)});
    }
    return tasks;
  }

  /** Number of parts of like size of which none is longer. */
  static long parts(long count, long longest) {
    return (count + longest - 1) / longest;
  }

  private void runWithScratch(List<Consumer<NDArray>> tasks) {
    crew.run(
        tasks.size(),
        i ->
            withScratch(
                scratch -> {
                  tasks.get(i).accept(scratch);
                  return scratch;
                }));
  }

  /** The threads of this pass, for what lies between its products. */
  Crew crew() {
    return crew;
  }

  /** Lends memory to widen a tile in. There is as much as for the tasks that run at a time. */
  <T> T withScratch(Function<NDArray, T> work) {
    NDArray free = scratches.poll();
    NDArray scratch = free == null ? kernels.call(scope, "scratch", scratchSize) : free;
    try {
      return work.apply(scratch);
    } finally {
      scratches.add(scratch);
    }
  }

  /** Number of the type in which matrices are multiplied. */
  int type() {
    return product;
  }
}
