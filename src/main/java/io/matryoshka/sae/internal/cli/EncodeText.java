package io.matryoshka.sae.internal.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.stream.EncodeResult;

/** What a run of encoding has written, as text and as JSON. */
final class EncodeText {

  private EncodeText() {}

  static ObjectNode json(Object target, EncodeResult result) {
    return Output.object()
        .put("output", target.toString())
        .put("rows", result.rows())
        .put("entries", result.entries())
        .put("mean_l0", result.meanL0())
        .put("masked_rows", result.maskedRows())
        .put("non_finite_rows", result.nonFiniteRows())
        .put("shards", result.shards())
        .put("resumed_rows", result.resumedRows())
        .put("rows_per_second", result.rowsPerSecond());
  }

  static void print(Object target, EncodeResult result, Output output) {
    output.line(
        "wrote %s: %s, %s, mean L0 %s, %s rows/s"
            .formatted(
                target,
                Numbers.count(result.rows(), "row"),
                Numbers.count(result.entries(), "active latent"),
                Numbers.fixed(result.meanL0(), 2),
                Numbers.fixed(result.rowsPerSecond(), 0)));
    if (result.resumedRows() > 0) {
      output.line(result.resumedRows() + " of the rows were there from an earlier run");
    }
    leftOut(result.maskedRows(), "masked out", output);
    leftOut(result.nonFiniteRows(), "not finite", output);
  }

  private static void leftOut(long rows, String why, Output output) {
    if (rows > 0) {
      output.line(
          "%s %s and %s stored without latents"
              .formatted(
                  Numbers.count(rows, "row") + (rows == 1 ? " was" : " were"),
                  why,
                  rows == 1 ? "is" : "are"));
    }
  }
}
