package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.lm.SpliceLoss;

/** What a reconstruction costs a language model, for people at a terminal. */
final class LossText {

  private LossText() {}

  static void print(SpliceLoss loss, Output output) {
    output.line(
        "%d tokens of %d texts; cross-entropy clean %s, activations set to zero %s"
            .formatted(
                loss.tokens(),
                loss.texts(),
                Numbers.fixed(loss.clean(), 4),
                Numbers.fixed(loss.zero().crossEntropy(), 4)));
    TextTable table = TextTable.of("width", "cross-entropy", "KL", "recovered");
    for (SpliceLoss.WidthLoss width : loss.widths()) {
      table.row(
          Integer.toString(width.prefixWidth()),
          Numbers.fixed(width.crossEntropy(), 4),
          Numbers.fixed(width.kl(), 4),
          share(width.recovered()));
    }
    output.table(table);
  }

  /** A recovered share; a dash where it is not defined. */
  static String share(double recovered) {
    return Double.isFinite(recovered) ? Numbers.fixed(recovered, 4) : "-";
  }
}
