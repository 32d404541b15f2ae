package io.matryoshka.sae.eval;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;

/** Writes an evaluation as JSON. */
final class EvaluationJson {

  private static final JsonSerializer<Double> FINITE_OR_NULL =
      new JsonSerializer<>() {
        @Override
        public void serialize(Double value, JsonGenerator out, SerializerProvider provider)
            throws IOException {
          if (Double.isFinite(value)) {
            out.writeNumber(value);
          } else {
            out.writeNull();
          }
        }
      };

  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .addModule(
              new SimpleModule()
                  .addSerializer(Double.class, FINITE_OR_NULL)
                  .addSerializer(double.class, FINITE_OR_NULL))
          .build();

  private EvaluationJson() {}

  static ObjectNode write(EvaluationReport report) {
    Evaluation evaluation = report.evaluation();
    ObjectNode json = MAPPER.createObjectNode();
    json.put("sae", report.name());
    json.put("rows", evaluation.rows());
    json.put("masked_rows", evaluation.maskedRows());
    json.put("non_finite_rows", evaluation.nonFiniteRows());
    json.put("d_in", evaluation.dIn());
    json.put("d_sae", evaluation.latents().size());
    json.put("batch_rows", evaluation.batchRows());
    json.set("total_variance", number(evaluation.totalVariance()));
    json.set("widths", MAPPER.valueToTree(evaluation.widths()));
    json.set("levels", MAPPER.valueToTree(evaluation.levels()));
    json.set("published", published(report.published()));
    report.loss().ifPresent(loss -> json.set("loss", tree(loss.json())));
    json.set("latents", latents(evaluation.latents()));
    return json;
  }

  private static ObjectNode published(PublishedComparison comparison) {
    ObjectNode json = MAPPER.createObjectNode();
    comparison.explainedVariance().ifPresent(v -> json.put("explained_variance", v));
    comparison
        .explainedVarianceDifference()
        .ifPresent(v -> json.set("explained_variance_difference", number(v)));
    comparison.density().ifPresent(d -> json.set("density", MAPPER.valueToTree(d)));
    return json;
  }

  /** Columns, so that a script can take each as one array. */
  private static ObjectNode latents(LatentStatistics latents) {
    ObjectNode json = MAPPER.createObjectNode();
    ArrayNode firings = json.putArray("firings");
    ArrayNode densities = json.putArray("density");
    ArrayNode means = json.putArray("mean_activation");
    ArrayNode largest = json.putArray("max_activation");
    for (int latent = 0; latent < latents.size(); latent++) {
      firings.add(latents.firings(latent));
      densities.add(number(latents.density(latent)));
      means.add(number(latents.meanActivation(latent)));
      largest.add(latents.maxActivation(latent));
    }
    return json;
  }

  private static JsonNode tree(String json) {
    try {
      return MAPPER.readTree(json);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private static JsonNode number(double value) {
    return MAPPER.valueToTree(value);
  }
}
