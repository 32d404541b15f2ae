package io.matryoshka.sae.lm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.ArrayList;
import java.util.List;

/**
 * Keys and values of the tokens that have gone through the model, for one text: {@code [1, heads,
 * capacity, head_dim]} float32 twice a layer. Sliding layers read the last window of it.
 */
final class KeyValueCache implements AutoCloseable {

  private final NDManager manager;
  private final List<List<NDArray>> layers = new ArrayList<>();
  private final int capacity;
  private int length;

  KeyValueCache(GemmaConfig config, int capacity) {
    this.capacity = capacity;
    ModelKernels kernels = ModelKernels.gemma();
    manager = kernels.newManager();
    for (int i = 0; i < config.layerCount(); i++) {
      List<NDArray> pair = new ArrayList<>();
      for (int k = 0; k < 2; k++) {
        pair.add(
            kernels.call(
                manager, "new_cache", 1, config.keyValueHeads(), capacity, config.headDim()));
      }
      layers.add(List.copyOf(pair));
    }
  }

  List<NDArray> layer(int layer) {
    return layers.get(layer);
  }

  /** Tokens that it holds. */
  int length() {
    return length;
  }

  void advance(int tokens) {
    length = Math.addExact(length, tokens);
    if (length > capacity) {
      throw new IllegalStateException("the cache holds " + capacity + " tokens, got " + length);
    }
  }

  @Override
  public void close() {
    manager.close();
  }
}
