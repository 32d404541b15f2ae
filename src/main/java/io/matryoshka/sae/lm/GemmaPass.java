package io.matryoshka.sae.lm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.matryoshka.sae.internal.kernel.torch.Workers;
import io.matryoshka.sae.lm.GemmaConfig.Attention;
import io.matryoshka.sae.lm.GemmaConfig.Rope;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * What the layers of one pass share.
 *
 * @param config the model
 * @param numbers epsilon of the norms, scale and soft cap of the scores, 0 for none
 * @param batch the tokens
 * @param cache holds the tokens before those of the batch, and gets those of the batch
 * @param hooks what is read and changed on the way
 * @param ropes cosines and sines of the positions
 * @param products multiplies with weights
 */
record GemmaPass(
    GemmaConfig config,
    double[] numbers,
    TokenBatch batch,
    Optional<KeyValueCache> cache,
    Hooks hooks,
    Map<Attention, List<NDArray>> ropes,
    TiledProducts products) {

  /** Multiplications of a product that libtorch does on the calling thread alone in any case. */
  private static final long BRIEF_WORK = 1 << 21;

  /** Computes the cosines and sines of the positions of a batch. */
  static Map<Attention, List<NDArray>> ropes(
      GemmaConfig config, TokenBatch batch, NDManager scope) {
    Map<Attention, List<NDArray>> ropes = new EnumMap<>(Attention.class);
    for (Attention kind : Attention.values()) {
      Rope rope = kind == Attention.FULL ? config.fullRope() : config.slidingRope();
      ropes.put(
          kind,
          ModelKernels.gemma()
              .callForAll(
                  scope,
                  "rope",
                  batch.start(),
                  batch.length(),
                  config.headDim(),
                  rope.base(),
                  rope.factor()));
    }
    return ropes;
  }

  /** Tells whether every product of a layer is one tile. */
  boolean isOfSingleTiles() {
    return TiledProducts.isOneTile(rows(batch), largestMatrix(config));
  }

  /** Runs a step of this pass where its layers run. */
  <T> T compute(Supplier<T> step) {
    return compute(config, batch, step);
  }

  /**
   * Runs a step of a pass where its layers run: on a worker, where libtorch wakes no threads of its
   * own; on the calling thread where the step is so short that to hand it over would take as long.
   */
  static <T> T compute(GemmaConfig config, TokenBatch batch, Supplier<T> step) {
    return rows(batch) * largestMatrix(config) <= BRIEF_WORK ? step.get() : Workers.call(step);
  }

  private static long rows(TokenBatch batch) {
    return (long) batch.size() * batch.length();
  }

  /** Numbers of the largest matrix of a layer. */
  private static long largestMatrix(GemmaConfig config) {
    long widest = Math.max(config.intermediateSize(), (long) config.heads() * config.headDim());
    return widest * config.hiddenSize();
  }
}
