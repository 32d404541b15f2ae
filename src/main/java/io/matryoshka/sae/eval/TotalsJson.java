package io.matryoshka.sae.eval;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * Totals as JSON and back, without loss: Java writes a double with the digits that read back as the
 * same double.
 */
final class TotalsJson {

  private TotalsJson() {}

  static ObjectNode write(Totals totals) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("masked_rows", totals.maskedRows);
    json.put("non_finite_rows", totals.nonFiniteRows);
    json.set("input_norm", write(totals.inputNorm));
    json.set("batch_energy", write(totals.batchEnergy));
    json.put("rows", totals.inputs.count());
    json.set("spread", write(totals.inputs.spread()));
    ArrayNode energies = json.putArray("energies");
    totals.energies.forEach(
        (exponent, rows, sum) -> energies.addArray().add(exponent).add(rows).add(sum));
    ArrayNode mean = json.putArray("mean");
    for (double value : totals.inputs.mean()) {
      mean.add(value);
    }
    ArrayNode widths = json.putArray("widths");
    for (WidthTotals width : totals.byWidth) {
      ObjectNode one = widths.addObject();
      for (RunningMetric metric : RunningMetric.values()) {
        one.set(metric.name(), write(width.mean(metric)));
      }
      ArrayNode counts = one.putArray("l0_counts");
      for (long count : width.l0Counts()) {
        counts.add(count);
      }
    }
    writeLatents(totals.latents, json);
    return json;
  }

  private static void writeLatents(LatentTotals latents, ObjectNode json) {
    ArrayNode firings = json.putArray("firings");
    ArrayNode sums = json.putArray("activation_sums");
    ArrayNode largest = json.putArray("largest_activations");
    for (int latent = 0; latent < latents.firings.length; latent++) {
      firings.add(latents.firings[latent]);
      sums.add(latents.sums[latent]);
      largest.add((double) latents.largest[latent]);
    }
  }

  private static ArrayNode write(Mean mean) {
    return JsonNodeFactory.instance
        .arrayNode()
        .add(mean.sum())
        .add(mean.compensation())
        .add(mean.count());
  }

  /**
   * Reads totals.
   *
   * @throws IllegalArgumentException if a part is missing, ill-typed or of another size
   */
  static Totals read(JsonNode json, int[] widths, int dIn) {
    VectorMoments inputs =
        new VectorMoments(
            doubles(json, "mean", dIn), mean(json, "spread"), json.required("rows").longValue());
    WidthTotals[] byWidth = new WidthTotals[widths.length];
    requireSize("widths", json.required("widths"), widths.length);
    for (int level = 0; level < widths.length; level++) {
      byWidth[level] = readWidth(json.get("widths").get(level));
    }
    int dSae = widths[widths.length - 1];
    double[] largest = doubles(json, "largest_activations", dSae);
    float[] floats = new float[dSae];
    for (int latent = 0; latent < dSae; latent++) {
      floats[latent] = (float) largest[latent];
    }
    LatentTotals latents =
        new LatentTotals(
            longs(json, "firings", dSae), doubles(json, "activation_sums", dSae), floats);
    Totals totals =
        new Totals(
            widths, mean(json, "input_norm"), mean(json, "batch_energy"), inputs, byWidth, latents);
    for (JsonNode bin : json.required("energies")) {
      requireSize("energies", bin, 3);
      totals.energies.add(
          (int) number("energies", bin, 0),
          (long) number("energies", bin, 1),
          number("energies", bin, 2));
    }
    totals.maskedRows = json.required("masked_rows").longValue();
    totals.nonFiniteRows = json.required("non_finite_rows").longValue();
    return totals;
  }

  private static WidthTotals readWidth(JsonNode json) {
    RunningMetric[] metrics = RunningMetric.values();
    Mean[] means = new Mean[metrics.length];
    for (int i = 0; i < means.length; i++) {
      means[i] = mean(json, metrics[i].name());
    }
    return new WidthTotals(means, longs(json, "l0_counts", json.required("l0_counts").size()));
  }

  private static Mean mean(JsonNode parent, String name) {
    JsonNode json = parent.required(name);
    requireSize(name, json, 3);
    return new Mean(number(name, json, 0), number(name, json, 1), (long) number(name, json, 2));
  }

  private static double[] doubles(JsonNode parent, String name, int size) {
    JsonNode json = parent.required(name);
    requireSize(name, json, size);
    double[] values = new double[size];
    for (int i = 0; i < size; i++) {
      values[i] = number(name, json, i);
    }
    return values;
  }

  private static long[] longs(JsonNode parent, String name, int size) {
    JsonNode json = parent.required(name);
    requireSize(name, json, size);
    long[] values = new long[size];
    for (int i = 0; i < size; i++) {
      number(name, json, i);
      values[i] = json.get(i).longValue();
    }
    return values;
  }

  private static double number(String name, JsonNode array, int at) {
    if (!array.get(at).isNumber()) {
      throw new IllegalArgumentException(
          "%s[%s]: expected a number, got %s".formatted(name, at, array.get(at)));
    }
    return array.get(at).doubleValue();
  }

  private static void requireSize(String name, JsonNode json, int size) {
    if (!json.isArray() || json.size() != size) {
      throw new IllegalArgumentException(
          "%s: expected %s elements, got %s".formatted(name, size, json.size()));
    }
  }
}
