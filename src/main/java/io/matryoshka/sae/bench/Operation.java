package io.matryoshka.sae.bench;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.SparseLatents;

/** What is measured. Each operation knows its fast form and the dense form that judges it. */
public enum Operation {
  /** Activations to sparse latents; densely, to a {@code [n, width]} array. */
  ENCODE_SPARSE(1) {
    @Override
    void fast(SAE sae, Input input, NDManager scope) {
      sae.encodeSparse(input.x(scope));
    }
  },
  /** Activations to a dense {@code [n, width]} array of latents. */
  ENCODE(1) {
    @Override
    void fast(SAE sae, Input input, NDManager scope) {
      sae.encode(input.x(scope));
    }
  },
  /** Latents to reconstructions. */
  DECODE(1) {
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
  FORWARD(2) {
    @Override
    void fast(SAE sae, Input input, NDManager scope) {
      sae.forward(input.x(scope));
    }

    @Override
    void dense(SAE sae, Input input, NDManager scope) {
      sae.decode(sae.encode(input.x(scope)));
    }
  },
  /** Activations to the reconstructions of all trained widths up to the view's. */
  RECONSTRUCTIONS(2) {
    @Override
    void fast(SAE sae, Input input, NDManager scope) {
      sae.reconstructions(input.x(scope));
    }

    @Override
    void dense(SAE sae, Input input, NDManager scope) {
      NDArray latents = sae.encode(input.x(scope));
      for (int width : sae.widths()) {
        NDArray leading = latents.get(":, :" + width);
        leading.attach(scope);
        sae.prefix(width).decode(leading);
      }
    }
  };

  private final int products;

  Operation(int products) {
    this.products = products;
  }

  /** Does it as users do, with the fast engine. */
  abstract void fast(SAE sae, Input input, NDManager scope);

  /** Does it with dense products in libtorch, given an SAE with the reference engine. */
  void dense(SAE sae, Input input, NDManager scope) {
    sae.encode(input.x(scope));
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

    NDArray x(NDManager scope) {
      return own(activations, scope);
    }

    NDArray dense(NDManager scope) {
      return own(denseLatents, scope);
    }

    /** A view in the scope, so that results attached to it die with the run. */
    private static NDArray own(NDArray array, NDManager scope) {
      NDArray view = array.reshape(array.getShape());
      view.attach(scope);
      return view;
    }
  }
}
