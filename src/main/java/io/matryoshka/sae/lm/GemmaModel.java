package io.matryoshka.sae.lm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.matryoshka.sae.lm.GemmaConfig.Attention;
import io.matryoshka.sae.lm.GemmaConfig.Rope;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The forward pass, layer by layer. A layer runs in one native call, or step by step where
 * something is read or changed inside it; both compute the same.
 */
final class GemmaModel implements Network {

  /** Rows of the head that are widened and multiplied at a time. */
  private static final int HEAD_BLOCK = 8192;

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
      NDArray states = finalNorm(x, hooks, scope);
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
      x = kernels.call(scope, "embed", weights.get(names.embedding()), ids, root);
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
    Map<Attention, List<NDArray>> ropes = ropes(batch, scope);
    NDArray scratch = kernels.call(scope, "scratch", largestMatrix());
    NDArray stream = x;
    for (int i = first; i <= last; i++) {
      Interruption.check();
      try (NDManager temporary = scope.newSubManager()) {
        List<NDArray> rope = ropes.get(config.layers().get(i));
        Step step = new Step(i, rope, cache, batch.start(), hooks, scratch, temporary);
        NDArray out = step.run(stream);
        out.attach(scope);
        if (stream != x && stream != out) {
          stream.close();
        }
        stream = out;
      }
    }
    return stream;
  }

  private Map<Attention, List<NDArray>> ropes(TokenBatch batch, NDManager scope) {
    Map<Attention, List<NDArray>> ropes = new EnumMap<>(Attention.class);
    for (Attention kind : Attention.values()) {
      Rope rope = kind == Attention.FULL ? config.fullRope() : config.slidingRope();
      ropes.put(
          kind,
          kernels.callForAll(
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

  /** Elements of the largest matrix of a layer. */
  private long largestMatrix() {
    long widest = Math.max(config.intermediateSize(), config.heads() * config.headDim());
    return widest * config.hiddenSize();
  }

  /** One layer of one pass. */
  private final class Step {

    private final int layer;
    private final List<NDArray> rope;
    private final List<NDArray> cache;
    private final int start;
    private final Hooks hooks;
    private final NDArray scratch;
    private final NDManager scope;
    private final List<NDArray> w;

    Step(
        int layer,
        List<NDArray> rope,
        Optional<KeyValueCache> cache,
        int start,
        Hooks hooks,
        NDArray scratch,
        NDManager scope) {
      this.layer = layer;
      this.rope = rope;
      this.cache = cache.map(c -> c.layer(layer)).orElse(List.of());
      this.start = start;
      this.hooks = hooks;
      this.scratch = scratch;
      this.scope = scope;
      this.w = weights.all(names.layer(layer));
    }

    NDArray run(NDArray input) {
      NDArray x = at(Site.RESID_PRE, input);
      NDArray out = hooks.isInside(layer) ? stepwise(x) : whole(x);
      return at(Site.RESID_POST, out);
    }

    private NDArray whole(NDArray x) {
      return kernels.call(
          scope, "layer", x, w, rope, cache, start, sizes(), numbers, product, scratch);
    }

    private NDArray stepwise(NDArray x) {
      NDArray h = norm(x, 0, Site.LN1_NORMALIZED, Site.LN1_OUT);
      NDArray z =
          at(
              Site.Z,
              kernels.call(
                  scope,
                  "attention",
                  h,
                  w,
                  rope,
                  cache,
                  start,
                  sizes(),
                  numbers,
                  product,
                  scratch));
      NDArray projected = at(Site.ATTN_PROJECTED, linear(z, 4));
      NDArray attention = norm(projected, 5, Site.LN1_POST_NORMALIZED, Site.ATTN_OUT);
      NDArray middle = at(Site.RESID_MID, kernels.call(scope, "add", x, attention));
      NDArray read = norm(middle, 6, Site.LN2_NORMALIZED, Site.LN2_OUT);
      NDArray inner =
          at(
              Site.MLP_POST,
              kernels.call(scope, "gated", read, w.get(7), w.get(8), product, scratch));
      NDArray down = at(Site.MLP_PROJECTED, linear(inner, 9));
      NDArray mlp = norm(down, 10, Site.LN2_POST_NORMALIZED, Site.MLP_OUT);
      return kernels.call(scope, "add", middle, mlp);
    }

    private NDArray norm(NDArray x, int weight, Site plain, Site out) {
      if (hooks.wants(new HookPoint(layer, plain))) {
        at(plain, kernels.call(scope, "normalized", x, numbers[0]));
      }
      return at(out, kernels.call(scope, "rms", x, w.get(weight), numbers[0]));
    }

    private NDArray linear(NDArray x, int weight) {
      return kernels.call(scope, "linear", x, w.get(weight), product, scratch);
    }

    private NDArray at(Site site, NDArray x) {
      return hooks.at(new HookPoint(layer, site), x, scope);
    }

    private long[] sizes() {
      return new long[] {
        config.heads(), config.keyValueHeads(), config.headDim(), config.window(layer)
      };
    }
  }

  /**
   * Applies the final norm to what leaves the last layer.
   *
   * @param x {@code [batch, length, hidden]}
   * @return {@code [tokens, hidden]} without the padding
   */
  NDArray finalNorm(NDArray x, Hooks hooks, NDManager scope) {
    NDArray normed = kernels.call(scope, "rms", x, weights.get(names.finalNorm()), numbers[0]);
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
    double cap = config.logitSoftcap().orElse(0);
    return kernels.call(
        owner, "logits", states, weights.get(names.head()), cap, HEAD_BLOCK, product);
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
    double cap = config.logitSoftcap().orElse(0);
    NDArray head = weights.get(names.head());
    NDArray ids = scope.create(targets);
    NDArray state = kernels.call(scope, "losses_state", runs.size(), targets.length);
    int rows = config.vocabularySize();
    NDArray scratch =
        kernels.call(scope, "scratch", (long) Math.min(HEAD_BLOCK, rows) * config.hiddenSize());
    for (int begin = 0; begin < rows; begin += HEAD_BLOCK) {
      Interruption.check();
      int end = Math.min(rows, begin + HEAD_BLOCK);
      kernels
          .call(scope, "losses_block", state, runs, head, ids, cap, begin, end, product, scratch)
          .close();
    }
    return kernels.call(scope, "losses", state);
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
