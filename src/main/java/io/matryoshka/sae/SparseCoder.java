package io.matryoshka.sae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.List;
import java.util.Optional;

/**
 * What SAEs and transcoders have in common: sparse latents of the activations {@code [..., d_in]}
 * of one place of a model, and from these the activations {@code [..., d_out]} of the same place
 * (SAE) or of another one (transcoder).
 */
public sealed interface SparseCoder extends AutoCloseable permits SAE {

  /** {@return the width of the activations that are read, {@code d_in}} */
  int dIn();

  /** {@return the width of the activations that are predicted, {@code d_out}} */
  int dOut();

  /** {@return the number of latents} */
  int dSae();

  /** {@return the Matryoshka widths, rising, the last one {@link #dSae()}} */
  List<Integer> widths();

  /** {@return the place in the model that is read, if known} */
  Optional<String> hookPoint();

  /** {@return the place in the model that is predicted, if known} */
  Optional<String> hookPointOut();

  /**
   * {@return the active latents of activations}
   *
   * @param x {@code [..., d_in]}
   */
  SparseLatents encodeSparse(NDArray x);

  /**
   * {@return {@code f W_dec + b_dec}, {@code [..., d_out]}, without a skip connection}
   *
   * @param latents latents of this coder or a narrower prefix view
   * @param manager owns the result
   */
  NDArray decode(SparseLatents latents, NDManager manager);

  /**
   * {@return the predicted activations {@code [..., d_out]}, with a skip connection}
   *
   * @param x {@code [..., d_in]}
   */
  NDArray forward(NDArray x);

  /**
   * {@return the predicted activations by every width, each with a skip connection}
   *
   * @param x {@code [..., d_in]}
   */
  NDArray[] reconstructions(NDArray x);

  /**
   * {@return a view of the first latents}
   *
   * @param prefixWidth their number, from 1 on
   */
  SparseCoder prefix(int prefixWidth);

  @Override
  void close();
}
