package io.matryoshka.sae.internal.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.eval.Evaluation;
import io.matryoshka.sae.eval.WidthMetrics;
import io.matryoshka.sae.lm.Tokens;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.Collectors;

/**
 * The figures of the SAEs of several layers beside the published ones, with all that decides on
 * them.
 *
 * @param release the release
 * @param model the language model
 * @param arithmetic what the model computes in
 * @param files the files of documents; none for texts and ids
 * @param contextSize tokens of a context of such files
 * @param texts what went through the model
 * @param skippedSpecial whether the user asked for rows of special tokens to be left out
 * @param figures the SAEs
 */
record LayersResult(
    String release,
    String model,
    String arithmetic,
    List<Path> files,
    int contextSize,
    List<Tokens> texts,
    boolean skippedSpecial,
    List<LayerFigures> figures) {

  long tokens() {
    return texts.stream().mapToLong(Tokens::size).sum();
  }

  ObjectNode json() {
    ObjectNode json = Output.object().put("release", release).put("model", model);
    json.put("model_arithmetic", arithmetic);
    ArrayNode names = json.putArray("text_files");
    files.forEach(file -> names.add(file.toString()));
    json.put("context_size", files.isEmpty() ? null : contextSize);
    json.put("texts", texts.size()).put("tokens", tokens());
    json.put("skip_special_tokens", skippedSpecial);
    ArrayNode saes = json.putArray("saes");
    figures.forEach(sae -> saes.add(json(sae)));
    return json;
  }

  private static ObjectNode json(LayerFigures sae) {
    ObjectNode json = figures(sae);
    ArrayNode widths = json.putArray("widths");
    for (WidthMetrics width : sae.evaluation().widths()) {
      ObjectNode node = widths.addObject().put("width", width.width());
      put(node, "explained_variance", OptionalDouble.of(width.explainedVariance().pooled()));
      put(node, "l0", OptionalDouble.of(width.sparsity().l0()));
    }
    sae.loss().ifPresent(loss -> json.set("loss", Output.tree(loss.json())));
    return json;
  }

  /** One line for each SAE; a number that is not known is an empty cell. */
  String csv() {
    StringBuilder csv = new StringBuilder();
    for (LayerFigures sae : figures) {
      ObjectNode row = figures(sae);
      if (csv.isEmpty()) {
        csv.append(
                row.properties().stream().map(Map.Entry::getKey).collect(Collectors.joining(",")))
            .append('\n');
      }
      csv.append(
              row.properties().stream()
                  .map(field -> cell(field.getValue()))
                  .collect(Collectors.joining(",")))
          .append('\n');
    }
    return csv.toString();
  }

  private static String cell(JsonNode value) {
    return value.isNull() ? "" : value.asText();
  }

  /** The same names for each SAE of a result; what is not known is null. */
  private static ObjectNode figures(LayerFigures sae) {
    Evaluation evaluation = sae.evaluation();
    ObjectNode json = Output.object();
    json.put("layer", sae.entry().layer().getAsInt()).put("id", sae.entry().saeId());
    json.put("hook_point", sae.entry().hookPoint());
    json.put("dtype", DtypeConverter.name(sae.dtype()));
    json.put("rows", evaluation.rows()).put("masked_rows", evaluation.maskedRows());
    json.put("non_finite_rows", evaluation.nonFiniteRows());
    put(json, "explained_variance", OptionalDouble.of(sae.explainedVariance()));
    put(json, "published_explained_variance", sae.published().explainedVariance());
    put(json, "difference", sae.published().explainedVarianceDifference());
    put(json, "l0", OptionalDouble.of(evaluation.full().sparsity().l0()));
    json.put("training_l0", sae.trainingL0().isPresent() ? sae.trainingL0().getAsInt() : null);
    if (sae.loss().isPresent()) {
      put(json, "loss_recovered", sae.recovered());
    }
    return json;
  }

  private static void put(ObjectNode json, String name, OptionalDouble value) {
    if (value.isPresent() && Double.isFinite(value.getAsDouble())) {
      json.put(name, value.getAsDouble());
    } else {
      json.putNull(name);
    }
  }
}
