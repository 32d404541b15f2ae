package io.matryoshka.sae.lm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.matryoshka.sae.internal.kernel.torch.Workers;
import java.util.List;

/**
 * Losses of several runs, without an array of all logits: the vocabulary comes in blocks, and of
 * each block a part of the tokens.
 */
final class VocabularyLosses {

  /** Ids of a block. */
  private static final int IDS = 8192;

  /** Tokens whose logits of a block are held, of every run. */
  private static final int TOKENS = 256;

  /** Tokens of a task that sums up logits. */
  private static final int SUMMED_TOKENS = 32;

  private final ModelKernels kernels = ModelKernels.gemma();
  private final TiledProducts products;
  private final NDArray head;
  private final double cap;

  /**
   * Prepares.
   *
   * @param products multiplies with the head
   * @param head the unembedding, {@code [vocabulary, hidden]}
   * @param cap soft cap of logits, 0 for none
   */
  VocabularyLosses(TiledProducts products, NDArray head, double cap) {
    this.products = products;
    this.head = head;
    this.cap = cap;
  }

  /**
   * Computes losses.
   *
   * @param runs states after the final norm, {@code [n, hidden]} each, the original run first
   * @param targets the id that follows each token, -1 for none
   * @return {@code [2, runs, n]} float64, as {@link GemmaModel#losses}
   */
  NDArray of(List<NDArray> runs, long[] targets, NDManager scope) {
    NDArray ids = scope.create(targets);
    NDArray state = kernels.call(scope, "losses_state", runs.size(), targets.length);
    long vocabulary = head.getShape().get(0);
    for (long begin = 0; begin < vocabulary; begin += IDS) {
      long end = Math.min(vocabulary, begin + IDS);
      for (int first = 0; first < targets.length; first += TOKENS) {
        Interruption.check();
        Block block = new Block(begin, end, first, Math.min(targets.length, first + TOKENS));
        try (NDManager temporary = scope.newSubManager()) {
          Workers.call(() -> block.add(state, runs, ids, temporary));
        }
      }
    }
    return kernels.call(scope, "losses", state);
  }

  /** Some ids of the vocabulary for some tokens. */
  private final class Block {

    private final long beginId;
    private final long endId;
    private final int first;
    private final int last;

    Block(long beginId, long endId, int first, int last) {
      this.beginId = beginId;
      this.endId = endId;
      this.first = first;
      this.last = last;
    }

    NDArray add(NDArray state, List<NDArray> runs, NDArray targets, NDManager temporary) {
      List<NDArray> states =
          runs.stream().map(run -> kernels.call(temporary, "part", run, first, last)).toList();
      NDArray ids = kernels.call(temporary, "part", head, beginId, endId);
      List<NDArray> logits = products.logits(states, ids, cap, temporary);
      int tasks = Math.toIntExact(TiledProducts.parts(last - first, SUMMED_TOKENS));
      products
          .crew()
          .run(
              tasks,
              i -> {
                int begin = first + i * SUMMED_TOKENS;
                int end = Math.min(last, begin + SUMMED_TOKENS);
                kernels.run("losses_block", state, logits, targets, beginId, first, begin, end);
              });
      return state;
    }
  }
}
