package io.matryoshka.sae.hub;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Takes the ranges of a file that were asked for, one after the other. */
@FunctionalInterface
public interface RangeConsumer {

  /**
   * Takes one range.
   *
   * @param range which one
   * @param data its bytes, from position to limit
   * @throws IOException if they cannot be used; ends the reading
   */
  void accept(ByteRange range, ByteBuffer data) throws IOException;
}
