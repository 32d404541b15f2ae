package io.matryoshka.sae.eval;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Writes an evaluation as CSV: commas, lines that end in \n, points in numbers, no quotes. */
final class EvaluationCsv {

  private EvaluationCsv() {}

  /** The numbers of the JSON form, each under the last part of its name. */
  static String widths(EvaluationReport report) {
    StringBuilder csv = new StringBuilder();
    ObjectNode json = EvaluationJson.write(report);
    for (JsonNode width : json.get("widths")) {
      List<String> names = new ArrayList<>();
      List<String> cells = new ArrayList<>();
      collect((ObjectNode) width, names, cells);
      if (json.path("loss").path("widths").get(width.get("width").asText())
          instanceof ObjectNode loss) {
        List<String> below = new ArrayList<>();
        collect(loss, below, cells);
        below.forEach(name -> names.add("loss_" + name));
      }
      if (csv.isEmpty()) {
        csv.append(String.join(",", names)).append('\n');
      }
      csv.append(String.join(",", cells)).append('\n');
    }
    return csv.toString();
  }

  private static void collect(ObjectNode node, List<String> names, List<String> cells) {
    for (Map.Entry<String, JsonNode> field : node.properties()) {
      if (field.getValue() instanceof ObjectNode inner) {
        List<String> below = new ArrayList<>();
        collect(inner, below, cells);
        String prefix = field.getKey().equals("explained_variance") ? "explained_variance_" : "";
        below.forEach(name -> names.add(prefix + name));
      } else if (!(field.getValue() instanceof ArrayNode)) {
        names.add(field.getKey());
        cells.add(field.getValue().isNull() ? "" : field.getValue().asText());
      }
    }
  }

  static String latents(Evaluation evaluation, Optional<float[]> logSparsity) {
    LatentStatistics latents = evaluation.latents();
    StringBuilder csv =
        new StringBuilder(
            "latent,level,firings,density,log_sparsity,published_log_sparsity,"
                + "mean_activation,max_activation\n");
    int level = 0;
    for (int latent = 0; latent < latents.size(); latent++) {
      if (latent >= evaluation.levels().get(level).to()) {
        level++;
      }
      csv.append(latent).append(',').append(level).append(',').append(latents.firings(latent));
      csv.append(',').append(cell(latents.density(latent)));
      csv.append(',').append(cell(latents.logSparsity(latent))).append(',');
      if (logSparsity.isPresent()) {
        csv.append(logSparsity.get()[latent]);
      }
      csv.append(',').append(cell(latents.meanActivation(latent)));
      csv.append(',').append(latents.maxActivation(latent)).append('\n');
    }
    return csv.toString();
  }

  private static String cell(double value) {
    return Double.isFinite(value) ? Double.toString(value) : "";
  }
}
