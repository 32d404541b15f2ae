package io.matryoshka.sae.internal.kernel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;

/** Computes active latents from prepared rows. Implementations are safe for concurrent calls. */
public interface EncodeEngine {

  /**
   * Encodes rows with the first {@code width} latents.
   *
   * @param rows {@code [n, d_in]} prepared activations on the engine's device
   * @param width number of leading latents, from 1 to {@code d_sae}
   * @param rule which pre-activations become active
   * @return the active latents
   */
  Csr encode(NDArray rows, int width, SelectionRule rule);

  /**
   * Encodes rows less a vector, which may take less memory than to subtract it before.
   *
   * @param rows {@code [n, d_in]} activations on the engine's device, prepared but for the shift
   * @param shift {@code [d_in]}, is subtracted from every row
   * @param width number of leading latents, from 1 to {@code d_sae}
   * @param rule which pre-activations become active
   * @return the active latents
   */
  default Csr encode(NDArray rows, NDArray shift, int width, SelectionRule rule) {
    try (NDArray shifted = rows.sub(shift)) {
      return encode(shifted, width, rule);
    }
  }

  /**
   * Encodes rows and leaves the result on the device of the rows.
   *
   * @param rows {@code [n, d_in]} prepared activations on the engine's device
   * @param width number of leading latents, from 1 to {@code d_sae}
   * @param rule which pre-activations become active
   * @param owner owns the result
   * @return the active latents
   */
  default DeviceCsr encodeOnDevice(NDArray rows, int width, SelectionRule rule, NDManager owner) {
    return DeviceCsr.of(encode(rows, width, rule), rows.getDevice(), owner);
  }

  /**
   * Tells whether dense latents are the fastest way to a dense result.
   *
   * @param rows number of rows of the call
   * @param width number of leading latents
   * @return false unless starting the steps of this engine costs more than dense products
   */
  default boolean favoursDense(int rows, int width) {
    return false;
  }

  /**
   * Tells whether an encode is to come on the thread of its caller: it is done there, or joined
   * with those of other threads.
   *
   * @param multiplications of the call
   * @param width number of leading latents
   * @return false where it makes no difference
   */
  default boolean staysWithCaller(long multiplications, int width) {
    return false;
  }

  /**
   * Says how the calls so far went.
   *
   * @return counters since the engine was made
   */
  default ScreeningStats stats() {
    return ScreeningStats.NONE;
  }

  /**
   * Says which engine this is.
   *
   * @return a few words
   */
  String description();
}
