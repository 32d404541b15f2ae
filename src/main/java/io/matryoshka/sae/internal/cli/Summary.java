package io.matryoshka.sae.internal.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;

/**
 * Order statistics of some numbers.
 *
 * @param min the smallest
 * @param median the middle one; of an even count the lower of the two
 * @param max the largest
 */
record Summary(float min, float median, float max) {

  /** Summarises at least one number. */
  static Summary of(float[] values) {
    float[] sorted = values.clone();
    Arrays.sort(sorted);
    return new Summary(sorted[0], sorted[(sorted.length - 1) / 2], sorted[sorted.length - 1]);
  }

  /** For people, with some digits after the point. */
  String text(int digits) {
    return "%s / %s / %s (min / median / max)"
        .formatted(
            Numbers.fixed(min, digits), Numbers.fixed(median, digits), Numbers.fixed(max, digits));
  }

  ObjectNode json() {
    return Output.object().put("min", min).put("median", median).put("max", max);
  }
}
