package io.matryoshka.sae.internal.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.Collectors;

/** The figures of the SAEs of several layers for people at a terminal. */
final class LayersText {

  private final LayersResult result;
  private final boolean withLoss;

  LayersText(LayersResult result) {
    this.result = result;
    withLoss = result.figures().stream().anyMatch(sae -> sae.loss().isPresent());
  }

  void print(Output output) {
    output.line("%s, from one pass of %s".formatted(result.release(), result.model()));
    output.line(
        "%s; the model in %s, the SAEs in %s".formatted(corpus(), result.arithmetic(), dtypes()));
    output.line(excluded());
    output.line("");
    output.table(table());
  }

  private TextTable table() {
    List<String> heads =
        new ArrayList<>(
            List.of(
                ">layer",
                "SAE",
                ">rows",
                ">explained variance",
                ">published",
                ">difference",
                ">L0",
                ">L0 of training"));
    if (withLoss) {
      heads.add(">loss recovered");
    }
    TextTable table = TextTable.of(heads.toArray(String[]::new));
    result.figures().forEach(sae -> table.row(cells(sae)));
    return table;
  }

  private Object[] cells(LayerFigures sae) {
    List<Object> cells =
        new ArrayList<>(
            List.of(
                sae.entry().layer().getAsInt(),
                sae.entry().saeId(),
                sae.evaluation().rows(),
                number(OptionalDouble.of(sae.explainedVariance())),
                number(sae.published().explainedVariance()),
                number(sae.published().explainedVarianceDifference()),
                Numbers.fixed(sae.evaluation().full().sparsity().l0(), 2),
                sae.trainingL0().isPresent() ? sae.trainingL0().getAsInt() : "-"));
    if (withLoss) {
      cells.add(number(sae.recovered()));
    }
    return cells.toArray();
  }

  private String corpus() {
    int texts = result.texts().size();
    String tokens = Numbers.count(result.tokens(), "token");
    if (result.files().isEmpty()) {
      return "%s of %s".formatted(tokens, Numbers.count(texts, "text"));
    }
    String names = result.files().stream().map(Path::toString).collect(Collectors.joining(", "));
    return "%s of %s in %s of up to %d"
        .formatted(tokens, names, Numbers.count(texts, "context"), result.contextSize());
  }

  private String dtypes() {
    return result.figures().stream()
        .map(sae -> DtypeConverter.name(sae.dtype()))
        .distinct()
        .collect(Collectors.joining(", "));
  }

  private String excluded() {
    List<Long> masked =
        result.figures().stream().map(sae -> sae.evaluation().maskedRows()).distinct().toList();
    long most = masked.stream().mapToLong(Long::longValue).max().orElse(0);
    if (most == 0) {
      return "all rows count, those of special tokens too";
    }
    return "left out: %s of special tokens such as <bos>, %s"
        .formatted(Numbers.count(most, "row"), whyExcluded(masked.size() == 1));
  }

  private String whyExcluded(boolean ofAllSaes) {
    if (result.skippedSpecial()) {
      return "as --skip-special-tokens asks";
    }
    return ofAllSaes ? "as in the training of the SAEs" : "where the SAE was trained without them";
  }

  private static String number(OptionalDouble value) {
    return value.isPresent() && Double.isFinite(value.getAsDouble())
        ? Numbers.fixed(value.getAsDouble(), 4)
        : "-";
  }
}
