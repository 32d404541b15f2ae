package io.matryoshka.sae;

import io.matryoshka.sae.config.SaeConfig;
import io.matryoshka.sae.internal.model.PreparedRows;
import io.matryoshka.sae.internal.model.RowScaling;
import java.util.Arrays;

/** What the last dense encode of each thread took from its tokens, as SAELens keeps it. */
final class LastInput {

  private final SaeConfig config;
  private final ThreadLocal<Facts> ofThread = new ThreadLocal<>();

  LastInput(SaeConfig config) {
    this.config = config;
  }

  /** What decoding needs of an input: what was taken from its rows, and its shape. */
  record Facts(RowScaling scaling, long[] leadingShape, long[] tailShape) {

    static Facts of(PreparedRows rows) {
      return new Facts(rows.scaling().toHost(), rows.leadingShape(), rows.tailShape());
    }
  }

  /** Keeps the facts for later calls of this thread. */
  void set(Facts facts) {
    ofThread.set(facts);
  }

  /** The facts of an input of this shape; without one, those of rows as they are. */
  Facts of(long[] leading) {
    Facts last = ofThread.get();
    boolean fits = last != null && Arrays.equals(last.leadingShape, leading);
    if (config.normalizeActivations().isPerToken() && !fits) {
      throw new IllegalStateException(
          "decode: this SAE normalises each token (%s), so dense latents can be decoded only after an encode of the same tokens on this thread; use encodeSparse, whose result carries what decoding needs"
              .formatted(config.normalizeActivations().key()));
    }
    return fits ? last : new Facts(RowScaling.NONE, leading, new long[] {config.dOut()});
  }
}
