package io.matryoshka.sae.internal.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.eval.Evaluation;
import io.matryoshka.sae.eval.WidthMetrics;
import java.util.Map;

/**
 * The metrics of the demonstration beside those of SAELens.
 *
 * @param evaluation what the library gives
 * @param references what SAELens gave, by prefix width
 */
record DemoFigures(Evaluation evaluation, Map<Integer, DemoData.Reference> references) {

  TextTable table() {
    TextTable table =
        TextTable.of(
            ">width",
            ">explained variance",
            ">SAELens",
            ">L0",
            ">SAELens",
            ">cosine similarity",
            ">SAELens");
    for (WidthMetrics width : evaluation.widths()) {
      DemoData.Reference reference = references.get(width.width());
      table.row(
          width.width(),
          Numbers.fixed(width.explainedVariance().pooled(), 4),
          Numbers.fixed(reference.explainedVariance(), 4),
          Numbers.fixed(width.sparsity().l0(), 2),
          Numbers.fixed(reference.l0(), 2),
          Numbers.fixed(width.reconstruction().cosine(), 4),
          Numbers.fixed(reference.cosineSimilarity(), 4));
    }
    return table;
  }

  ArrayNode json() {
    ArrayNode array = JsonNodeFactory.instance.arrayNode();
    for (WidthMetrics width : evaluation.widths()) {
      DemoData.Reference reference = references.get(width.width());
      ObjectNode node =
          array
              .addObject()
              .put("width", width.width())
              .put("explained_variance", width.explainedVariance().pooled())
              .put("l0", width.sparsity().l0())
              .put("cosine_similarity", width.reconstruction().cosine());
      node.putObject("saelens")
          .put("explained_variance", reference.explainedVariance())
          .put("l0", reference.l0())
          .put("cosine_similarity", reference.cosineSimilarity());
    }
    return array;
  }
}
