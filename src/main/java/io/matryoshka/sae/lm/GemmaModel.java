package io.matryoshka.sae.lm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.matryoshka.sae.internal.kernel.torch.Workers;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** The forward pass, layer by layer. */
final class GemmaModel implements Network {

  private static final HookPoint LOGITS = new HookPoint(0, Site.LOGITS);

  private final GemmaConfig config;
  private final GemmaWeightNames names;
  private final ModelWeights weights;
  private final ModelKernels kernels = ModelKernels.gemma();
  private final double[] numbers;
  private final int product;

  GemmaModel(GemmaConfig config, GemmaWeightNames names, ModelWeights weights, boolean bfloat16) {
    this.config = config;
    this.names = names;
    this.weights = weights;
    this.product = ModelWeights.productType(bfloat16);
    double scale = 1 / Math.sqrt(config.queryScalar());
    numbers = new double[] {config.normEpsilon(), scale, config.attentionSoftcap().orElse(0)};
  }

  @Override
  public GemmaConfig config() {
    return config;
  }

  @Override
  public void trace(TokenBatch batch, Hooks hooks, NDManager scope) {
    NDArray x = run(batch, Optional.empty(), hooks, scope);
    if (hooks.wantsBeyondLayers()) {
      NDArray states = finalNorm(x, batch, hooks, scope);
      if (hooks.wants(LOGITS)) {
        hooks.keep(LOGITS, logits(states, scope));
      }
    }
  }

  /**
   * Runs from the token ids to the last layer that the hooks want.
   *
   * @param cache holds the tokens before those of the batch, and gets those of the batch
   * @param scope owns the result
   * @return {@code [batch, length, hidden]}, what leaves that layer
   */
  NDArray run(TokenBatch batch, Optional<KeyValueCache> cache, Hooks hooks, NDManager scope) {
    NDArray x;
    try (NDManager temporary = scope.newSubManager()) {
      NDArray flat = temporary.create(batch.ids());
      NDArray ids = flat.reshape(batch.size(), batch.length());
      ids.attach(temporary);
      double root = (float) Math.sqrt(config.hiddenSize());
      x =
          GemmaPass.compute(
              config,
              batch,
              () -> kernels.call(scope, "embed", weights.get(names.embedding()), ids, root));
    }
    int last = hooks.lastLayer(config.layerCount());
    if (last < 0) {
      return hooks.at(new HookPoint(0, Site.RESID_PRE), x, scope);
    }
    NDArray out = resume(0, x, last, batch, cache, hooks, scope);
    cache.ifPresent(c -> c.advance(batch.length()));
    return out;
  }

  /**
   * Runs layers.
   *
   * @param first the first layer
   * @param x {@code [batch, length, hidden]}, what enters it
   * @param last the last layer
   * @return what leaves the last layer
   */
  NDArray resume(
      int first,
      NDArray x,
      int last,
      TokenBatch batch,
      Optional<KeyValueCache> cache,
      Hooks hooks,
      NDManager scope) {
    GemmaPass pass =
        new GemmaPass(
            config,
            numbers,
            batch,
            cache,
            hooks,
            GemmaPass.compute(config, batch, () -> GemmaPass.ropes(config, batch, scope)),
            products(scope));
    NDArray stream = x;
    int next = first;
    while (next <= last) {
      int begin = next++;
      while (!hooks.isAt(begin) && next <= last && !hooks.isAt(next)) {
        next++;
      }
      int end = next;
      NDArray entering = stream;
      Thread caller = Thread.currentThread();
      stream =
          hooks.isAt(begin)
              ? layers(pass, begin, end, entering, caller, scope)
              : pass.compute(() -> layers(pass, begin, end, entering, caller, scope));
      if (entering != x) {
        entering.close();
      }
    }
    return stream;
  }

  /** Runs layers that follow each other: on one worker, so that it is woken once, if it may. */
  private NDArray layers(
      GemmaPass pass, int begin, int end, NDArray x, Thread caller, NDManager scope) {
    NDArray stream = x;
    for (int i = begin; i < end; i++) {
      Interruption.check(caller);
      try (NDManager temporary = scope.newSubManager()) {
        NDArray out = new GemmaLayer(pass, i, weights.all(names.layer(i)), temporary).run(stream);
        out.attach(scope);
        if (stream != x) {
          stream.close();
        }
        stream = out;
      }
    }
    return stream;
  }

  private TiledProducts products(NDManager scope) {
    int widest = Math.max(config.intermediateSize(), config.heads() * config.headDim());
    return new TiledProducts(product, Math.max(widest, config.hiddenSize()), scope);
  }

  /**
   * Applies the final norm to what leaves the last layer.
   *
   * @param x {@code [batch, length, hidden]}
   * @return {@code [tokens, hidden]} without the padding
   */
  NDArray finalNorm(NDArray x, TokenBatch batch, Hooks hooks, NDManager scope) {
    NDArray normed =
        GemmaPass.compute(
            config,
            batch,
            () -> kernels.call(scope, "rms", x, weights.get(names.finalNorm()), numbers[0]));
    NDArray changed = hooks.at(new HookPoint(0, Site.FINAL_NORM), normed, scope);
    return hooks.tokenRows(changed, scope);
  }

  /**
   * Computes logits.
   *
   * @param states {@code [n, hidden]} after the final norm
   * @return {@code [n, vocabulary]}
   */
  NDArray logits(NDArray states, NDManager owner) {
    try (NDManager scope = owner.newSubManager()) {
      List<NDArray> runs = List.of(states);
      return products(scope).logits(runs, weights.get(names.head()), cap(), owner).get(0);
    }
  }

  /**
   * Computes the logits of one row. They are copied on a worker too where they are computed there:
   * libtorch would wake threads of its own for so many.
   *
   * @param state {@code [1, hidden]} after the final norm
   */
  float[] logits(NDArray state) {
    Supplier<float[]> values =
        () -> {
          try (NDManager scope = state.getManager().newSubManager()) {
            return logits(state, scope).toFloatArray();
          }
        };
    long numbers = (long) config.vocabularySize() * config.hiddenSize();
    return TiledProducts.isOneTile(1, numbers) ? values.get() : Workers.call(values);
  }

  /** The soft cap of logits, 0 for none. */
  private double cap() {
    return config.logitSoftcap().orElse(0);
  }

  /**
   * Computes the logits of rows that leave the last layer.
   *
   * @param stream {@code [n, hidden]}
   * @return {@code [n, vocabulary]}
   */
  NDArray unembed(NDArray stream, NDManager owner) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray states =
          kernels.call(scope, "rms", stream, weights.get(names.finalNorm()), config.normEpsilon());
      return logits(states, owner);
    }
  }

  /**
   * Computes losses without an array of logits.
   *
   * @param runs states after the final norm, {@code [n, hidden]} each, the original run first
   * @param targets the id that follows each token, -1 for none
   * @return {@code [2, runs, n]} float64: cross-entropy in nats (without meaning where there is no
   *     target) and KL(original || run) in nats
   */
  NDArray losses(List<NDArray> runs, long[] targets, NDManager scope) {
    NDArray head = weights.get(names.head());
    return new VocabularyLosses(products(scope), head, cap()).of(runs, targets, scope);
  }

  /** Gemma is published in bfloat16. */
  @Override
  public long weightBytes() {
    return weights.bytes(Short.BYTES);
  }

  @Override
  public void close() {
    weights.close();
  }
}
