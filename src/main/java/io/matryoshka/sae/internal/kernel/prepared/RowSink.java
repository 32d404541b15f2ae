package io.matryoshka.sae.internal.kernel.prepared;

import java.io.IOException;

/** Takes the encoder's rows as they are made, a group of consecutive latents at a time. */
@FunctionalInterface
public interface RowSink {

  /**
   * Takes one group. Called by several threads at the same time, for different groups; the arrays
   * are used again after the call.
   *
   * @param first the first latent, a multiple of {@link EncoderRows#groupLatents}
   * @param count number of latents
   * @param rows {@code [count, d_in]} float rows
   * @param codes {@code [count, d_in]} int8 codes
   * @throws IOException if they cannot be written
   */
  void put(int first, int count, float[] rows, byte[] codes) throws IOException;
}
