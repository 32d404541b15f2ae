package io.matryoshka.sae.eval;

import io.matryoshka.sae.internal.report.LineChart;
import io.matryoshka.sae.internal.report.Page;
import io.matryoshka.sae.internal.report.Prose;
import io.matryoshka.sae.internal.report.Row;
import io.matryoshka.sae.internal.report.Scale;
import io.matryoshka.sae.internal.report.Table;
import io.matryoshka.sae.lm.SpliceLoss;
import io.matryoshka.sae.lm.SpliceLoss.WidthLoss;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/** The part of an evaluation's page that shows what the reconstruction costs the model. */
final class LossSection {

  private static final String[] MEANING = {
    "The reconstruction stands in place of the activations, and the model goes on from there."
        + " Losses are in nats a token, lower is better.",
    "Recovered: the loss with the activations set to zero minus that with the reconstruction, over"
        + " what setting them to zero costs. 1 is as good as the activations, 0 as bad as none."
  };

  private LossSection() {}

  static void add(Page page, SpliceLoss loss) {
    page.section(
        "Loss of the language model",
        Row.of(crossEntropy(loss), recoveredOrKl(loss)),
        table(loss),
        Prose.of(extent(loss)),
        Prose.of(MEANING));
  }

  private static String extent(SpliceLoss loss) {
    return String.format(
        Locale.ROOT, "Means over %,d tokens of %,d texts.", loss.tokens(), loss.texts());
  }

  private static LineChart crossEntropy(SpliceLoss loss) {
    return chart(
        "Cross-entropy by prefix width",
        "nats a token",
        List.of(
            line(loss, "reconstruction", WidthLoss::crossEntropy),
            line(loss, "clean", width -> loss.clean())));
  }

  /** The share where it is defined, else the divergence, which always is. */
  private static LineChart recoveredOrKl(SpliceLoss loss) {
    return loss.widths().stream().anyMatch(width -> Double.isFinite(width.recovered()))
        ? chart(
            "Recovered loss by prefix width",
            "share of the loss",
            List.of(line(loss, "recovered", WidthLoss::recovered)))
        : chart(
            "Divergence by prefix width", "nats a token", List.of(line(loss, "KL", WidthLoss::kl)));
  }

  private static LineChart chart(String title, String unit, List<LineChart.Line> lines) {
    return new LineChart(title, "prefix width, latents", Scale.LOG, unit, Scale.LINEAR, lines);
  }

  private static LineChart.Line line(
      SpliceLoss loss, String name, ToDoubleFunction<WidthLoss> value) {
    return new LineChart.Line(
        name,
        loss.widths().stream()
            .map(w -> new LineChart.Point(w.prefixWidth(), value.applyAsDouble(w)))
            .toList());
  }

  private static Table table(SpliceLoss loss) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("clean", fixed(loss.clean()), fixed(0), fixed(1)));
    for (WidthLoss width : loss.widths()) {
      rows.add(
          List.of(
              Integer.toString(width.prefixWidth()),
              fixed(width.crossEntropy()),
              fixed(width.kl()),
              fixed(width.recovered())));
    }
    rows.add(
        List.of(
            "set to zero", fixed(loss.zero().crossEntropy()), fixed(loss.zero().kl()), fixed(0)));
    return new Table(
        "Losses by prefix width", List.of("Width", "Cross-entropy", "KL", "Recovered"), rows);
  }

  private static String fixed(double value) {
    return Double.isFinite(value) ? String.format(Locale.ROOT, "%.4f", value) : "–";
  }
}
