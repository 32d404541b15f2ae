package io.matryoshka.sae.lm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.List;

/** The forward pass of a BERT encoder, step by step, so that hooks reach what lies between. */
final class BertModel implements Network {

  private static final HookPoint LAST_HIDDEN_STATE = new HookPoint(0, Site.FINAL_NORM);

  private final BertConfig config;
  private final BertWeightNames names;
  private final ModelWeights weights;
  private final ModelKernels kernels = ModelKernels.bert();
  private final int product;

  BertModel(BertConfig config, BertWeightNames names, ModelWeights weights, boolean bfloat16) {
    this.config = config;
    this.names = names;
    this.weights = weights;
    this.product = ModelWeights.productType(bfloat16);
  }

  @Override
  public BertConfig config() {
    return config;
  }

  @Override
  public void trace(TokenBatch batch, Hooks hooks, NDManager scope) {
    int last = hooks.lastLayer(config.layerCount());
    NDArray lengths = scope.create(batch.lengths());
    NDArray x = embedded(batch, scope);
    if (last < 0) {
      hooks.at(new HookPoint(0, Site.RESID_PRE), x, scope);
      return;
    }
    for (int i = 0; i <= last; i++) {
      Interruption.check();
      try (NDManager temporary = scope.newSubManager()) {
        NDArray out = new Layer(i, lengths, hooks, temporary).run(x);
        out.attach(scope);
        x.close();
        x = out;
      }
    }
    if (last == config.layerCount() - 1) {
      hooks.at(LAST_HIDDEN_STATE, x, scope);
    }
  }

  /** Sums the embeddings of words, positions and the first token type, and applies the norm. */
  private NDArray embedded(TokenBatch batch, NDManager scope) {
    List<NDArray> w = weights.all(names.embeddings());
    try (NDManager temporary = scope.newSubManager()) {
      NDArray ids = temporary.create(batch.ids()).reshape(batch.size(), batch.length());
      NDArray sum = kernels.call(temporary, "embed", w.get(0), w.get(1), w.get(2), ids);
      return kernels.call(scope, "norm", sum, w.get(3), w.get(4), config.normEpsilon());
    }
  }

  /** One layer of one pass. */
  private final class Layer {

    private final int layer;
    private final NDArray lengths;
    private final Hooks hooks;
    private final NDManager scope;
    private final List<NDArray> w;

    Layer(int layer, NDArray lengths, Hooks hooks, NDManager scope) {
      this.layer = layer;
      this.lengths = lengths;
      this.hooks = hooks;
      this.scope = scope;
      this.w = weights.all(names.layer(layer));
    }

    NDArray run(NDArray input) {
      NDArray x = at(Site.RESID_PRE, input);
      NDArray z = at(Site.Z, attention(x));
      NDArray attended = at(Site.ATTN_OUT, linear(z, 6));
      NDArray middle = norm(at(Site.RESID_MID, kernels.call(scope, "add", attended, x)), 8);
      NDArray inner = at(Site.MLP_POST, gelu(linear(middle, 10)));
      NDArray mlp = at(Site.MLP_OUT, linear(inner, 12));
      NDArray sum = at(Site.RESID_POST, kernels.call(scope, "add", mlp, middle));
      return at(Site.LAYER_OUT, norm(sum, 14));
    }

    private NDArray attention(NDArray x) {
      double scale = 1 / Math.sqrt(config.headDim());
      return kernels.call(
          scope, "attention", x, w.subList(0, 6), lengths, config.heads(), scale, product);
    }

    /** {@code weight} is the index of a weight, which its bias follows. */
    private NDArray linear(NDArray x, int weight) {
      return kernels.call(scope, "linear", x, w.get(weight), w.get(weight + 1), product);
    }

    private NDArray norm(NDArray x, int weight) {
      return kernels.call(scope, "norm", x, w.get(weight), w.get(weight + 1), config.normEpsilon());
    }

    private NDArray gelu(NDArray x) {
      return kernels.call(scope, "gelu", x, config.activation().approximation());
    }

    private NDArray at(Site site, NDArray x) {
      return hooks.at(new HookPoint(layer, site), x, scope);
    }
  }

  /** Encoders are published in float32. */
  @Override
  public long weightBytes() {
    return weights.bytes(Float.BYTES);
  }

  @Override
  public void close() {
    weights.close();
  }
}
