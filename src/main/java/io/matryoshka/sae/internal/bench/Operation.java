package io.matryoshka.sae.internal.bench;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.SparseLatents;
import java.util.function.Consumer;

/**
 * What is measured. Each operation knows its fast form and the dense form that it is compared with.
 */
public enum Operation {
  /** Activations to sparse latents; densely, to a {@code [n, width]} array. */
  ENCODE_SPARSE("encodeSparse", 1) {
    @Override
    void fast(SAE sae, Input input, NDManager scope) {
      sae.encodeSparse(input.x(scope));
    }
  },
  /** Activations to a dense {@code [n, width]} array of latents. */
  ENCODE("encode", 1) {
    @Override
    void fast(SAE sae, Input input, NDManager scope) {
      sae.encode(input.x(scope));
    }
  },
  /** Latents to reconstructions. */
  DECODE("decode", 1) {
    @Override
    void fast(SAE sae, Input input, NDManager scope) {
      sae.decode(input.latents(), scope);
    }

    @Override
    void dense(SAE sae, Input input, NDManager scope) {
      sae.decode(input.dense(scope));
    }
  },
  /** Activations to reconstructions. */
  FORWARD("forward", 2) {
    @Override
    void fast(SAE sae, Input input, NDManager scope) {
      sae.forward(input.x(scope));
    }

    @Override
    void dense(SAE sae, Input input, NDManager scope) {
      input.inBlocks(scope, x -> sae.decode(sae.encode(x)));
    }
  },
  /** Activations to the reconstructions of all trained widths up to the view's. */
  RECONSTRUCTIONS("reconstructions", 2) {
    @Override
    void fast(SAE sae, Input input, NDManager scope) {
      sae.reconstructions(input.x(scope));
    }

    @Override
    void dense(SAE sae, Input input, NDManager scope) {
      input.inBlocks(
          scope,
          x -> {
            NDArray latents = sae.encode(x);
            for (int width : sae.widths()) {
              NDArray leading = latents.get(":, :" + width);
              leading.attach(latents.getManager());
              sae.prefix(width).decode(leading);
            }
          });
    }
  };

  private final String key;
  private final int products;

  Operation(String key, int products) {
    this.key = key;
    this.products = products;
  }

  /**
   * Returns the name that users know, which is that of the method of {@link SAE}.
   *
   * @return such as {@code encodeSparse}
   */
  public String key() {
    return key;
  }

  /** Does it as users do, with the fast engine. */
  abstract void fast(SAE sae, Input input, NDManager scope);

  /** Does it with dense products in libtorch, given an SAE with the reference engine. */
  void dense(SAE sae, Input input, NDManager scope) {
    input.inBlocks(scope, sae::encode);
  }

  /**
   * Returns the arithmetic of the dense form.
   *
   * @param n tokens
   * @param dIn the width of a model activation
   * @param width number of latents
   * @return floating-point operations; of nested reconstructions, those of one encode and one
   *     decode
   */
  public double denseFlops(int n, int dIn, int width) {
    return 2.0 * products * n * dIn * width;
  }

  /** The input of one measurement. Arrays attach to the scope of a single run. */
  record Input(NDArray activations, SparseLatents latents, NDArray denseLatents) {

    /**
     * Rows that the dense form takes in one product: enough for libtorch to be as fast as with
     * more, and few enough that dense latents of width 32768 stay at 128 MiB.
     */
    private static final int DENSE_BLOCK_ROWS = 1024;

    NDArray x(NDManager scope) {
      return own(activations, scope);
    }

    NDArray dense(NDManager scope) {
      return own(denseLatents, scope);
    }

    /** Hands the activations out in blocks; what attaches to a block's manager dies with it. */
    void inBlocks(NDManager scope, Consumer<NDArray> task) {
      long rows = activations.getShape().get(0);
      for (long begin = 0; begin < rows; begin += DENSE_BLOCK_ROWS) {
        try (NDManager blockScope = scope.newSubManager()) {
          NDArray block = activations.get(begin + ":" + Math.min(rows, begin + DENSE_BLOCK_ROWS));
          block.attach(blockScope);
          task.accept(block);
        }
      }
    }

    /** A view in the scope, so that results attached to it die with the run. */
    private static NDArray own(NDArray array, NDManager scope) {
      NDArray view = array.reshape(array.getShape());
      view.attach(scope);
      return view;
    }
  }
}
