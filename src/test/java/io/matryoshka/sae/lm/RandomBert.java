package io.matryoshka.sae.lm;

import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import io.matryoshka.sae.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.function.UnaryOperator;

/**
 * A small BERT with random weights, and its forward pass written out in double precision, one text
 * at a time, so that neither padding nor masks exist.
 */
final class RandomBert {

  static final int HIDDEN = 12;
  static final int HEADS = 3;
  static final int INNER = 20;
  static final int LAYERS = 2;
  static final int POSITIONS = 16;

  private final int vocabulary;
  private final double epsilon;
  private final boolean tanh;
  private final Map<String, float[]> weights = new LinkedHashMap<>();
  private final Map<String, long[]> shapes = new LinkedHashMap<>();
  private final Random random = new Random(11);

  RandomBert(int vocabulary, double epsilon, boolean tanh) {
    this.vocabulary = vocabulary;
    this.epsilon = epsilon;
    this.tanh = tanh;
    add("embeddings.word_embeddings.weight", 1, vocabulary, HIDDEN);
    add("embeddings.position_embeddings.weight", 1, POSITIONS, HIDDEN);
    add("embeddings.token_type_embeddings.weight", 1, 2, HIDDEN);
    addNorm("embeddings.LayerNorm");
    for (int i = 0; i < LAYERS; i++) {
      String layer = "encoder.layer." + i + ".";
      addLinear(layer + "attention.self.query", HIDDEN, HIDDEN);
      addLinear(layer + "attention.self.key", HIDDEN, HIDDEN);
      addLinear(layer + "attention.self.value", HIDDEN, HIDDEN);
      addLinear(layer + "attention.output.dense", HIDDEN, HIDDEN);
      addNorm(layer + "attention.output.LayerNorm");
      addLinear(layer + "intermediate.dense", INNER, HIDDEN);
      addLinear(layer + "output.dense", HIDDEN, INNER);
      addNorm(layer + "output.LayerNorm");
    }
  }

  private void add(String name, double spread, long... shape) {
    int count = 1;
    for (long size : shape) {
      count *= (int) size;
    }
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) (random.nextGaussian() * spread);
    }
    weights.put(name, values);
    shapes.put(name, shape);
  }

  private void addLinear(String name, int out, int in) {
    add(name + ".weight", 0.4, out, in);
    add(name + ".bias", 0.3, out);
  }

  private void addNorm(String name) {
    add(name + ".weight", 1, HIDDEN);
    add(name + ".bias", 0.3, HIDDEN);
  }

  // ---- as a folder ----

  String config() {
    return """
        {
          "model_type": "bert",
          "hidden_size": %d,
          "num_attention_heads": %d,
          "intermediate_size": %d,
          "num_hidden_layers": %d,
          "max_position_embeddings": %d,
          "type_vocab_size": 2,
          "vocab_size": %d,
          "layer_norm_eps": %s,
          "hidden_act": "%s",
          "position_embedding_type": "absolute"
        }
        """
        .formatted(
            HIDDEN,
            HEADS,
            INNER,
            LAYERS,
            POSITIONS,
            vocabulary,
            epsilon,
            tanh ? "gelu_new" : "gelu");
  }

  Path writeTo(Path folder) throws IOException {
    return writeTo(folder, name -> name);
  }

  /** Rounds the weights to bfloat16 and writes them as such. */
  Path writeRounded(Path folder) throws IOException {
    Files.createDirectories(folder);
    Files.writeString(folder.resolve("config.json"), config());
    SafetensorsWriter.Builder builder = SafetensorsWriter.builder();
    shapes.forEach((name, shape) -> builder.tensor(name, Dtype.BF16, shape));
    Path file = folder.resolve("model.safetensors");
    try (SafetensorsWriter writer = builder.create(file)) {
      for (Map.Entry<String, float[]> weight : weights.entrySet()) {
        writer.write(weight.getKey(), Bfloat16.bytes(weight.getValue()));
      }
      writer.finish();
    }
    try (SafetensorsFile rounded = SafetensorsFile.open(file)) {
      for (String name : shapes.keySet()) {
        weights.put(name, rounded.readFloats(name));
      }
    }
    return folder;
  }

  /** Writes the folder with other names of the tensors. */
  Path writeTo(Path folder, UnaryOperator<String> naming) throws IOException {
    Files.createDirectories(folder);
    Files.writeString(folder.resolve("config.json"), config());
    SafetensorsWriter.Builder builder = SafetensorsWriter.builder();
    shapes.forEach((name, shape) -> builder.tensor(naming.apply(name), Dtype.F32, shape));
    try (SafetensorsWriter writer = builder.create(folder.resolve("model.safetensors"))) {
      for (Map.Entry<String, float[]> weight : weights.entrySet()) {
        writer.writeFloats(naming.apply(weight.getKey()), weight.getValue());
      }
      writer.finish();
    }
    return folder;
  }

  // ---- the forward pass ----

  /** Rows of all places of all layers, by the names of transformers. */
  Map<String, double[][]> run(int... ids) {
    Map<String, double[][]> places = new HashMap<>();
    double[][] x = new double[ids.length][];
    for (int t = 0; t < ids.length; t++) {
      double[] word = row("embeddings.word_embeddings.weight", ids[t]);
      double[] position = row("embeddings.position_embeddings.weight", t);
      x[t] = sum(sum(word, position), row("embeddings.token_type_embeddings.weight", 0));
    }
    x = norm(x, "embeddings.LayerNorm");
    places.put("embeddings.output", x);
    for (int i = 0; i < LAYERS; i++) {
      x = layer(i, x, places);
    }
    places.put("last_hidden_state", x);
    return places;
  }

  /** Runs one layer on rows of the caller's. */
  double[][] layer(int index, double[][] x, Map<String, double[][]> places) {
    String layer = "encoder.layer." + index + ".";
    places.put(layer + "input", x);
    double[][] z = attention(layer + "attention.self.", x);
    places.put(layer + "attention.self.output", z);
    double[][] attended = linear(z, layer + "attention.output.dense");
    places.put(layer + "attention.output.dense.output", attended);
    double[][] middle = sum(attended, x);
    places.put(layer + "attention.output.LayerNorm.input", middle);
    double[][] read = norm(middle, layer + "attention.output.LayerNorm");
    double[][] inner = linear(read, layer + "intermediate.dense");
    for (double[] row : inner) {
      for (int i = 0; i < row.length; i++) {
        row[i] = gelu(row[i]);
      }
    }
    places.put(layer + "intermediate.output", inner);
    double[][] mlp = linear(inner, layer + "output.dense");
    places.put(layer + "output.dense.output", mlp);
    double[][] sum = sum(mlp, read);
    places.put(layer + "output.LayerNorm.input", sum);
    double[][] out = norm(sum, layer + "output.LayerNorm");
    places.put(layer + "output", out);
    return out;
  }

  private double[][] attention(String self, double[][] x) {
    double[][] q = linear(x, self + "query");
    double[][] k = linear(x, self + "key");
    double[][] v = linear(x, self + "value");
    double[][] z = new double[x.length][HIDDEN];
    int width = HIDDEN / HEADS;
    for (int head = 0; head < HEADS; head++) {
      int first = head * width;
      for (int t = 0; t < x.length; t++) {
        double[] weight = new double[x.length];
        double total = 0;
        for (int s = 0; s < x.length; s++) {
          double score = 0;
          for (int i = first; i < first + width; i++) {
            score += q[t][i] * k[s][i];
          }
          weight[s] = Math.exp(score / Math.sqrt(width));
          total += weight[s];
        }
        for (int s = 0; s < x.length; s++) {
          for (int i = first; i < first + width; i++) {
            z[t][i] += weight[s] / total * v[s][i];
          }
        }
      }
    }
    return z;
  }

  private double gelu(double x) {
    return tanh
        ? x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)))
        : x / 2 * (1 + erf(x / Math.sqrt(2)));
  }

  /** By its power series, which is exact enough for the small values that occur here. */
  private static double erf(double x) {
    double term = x;
    double sum = x;
    for (int n = 1; n < 200; n++) {
      term *= -x * x / n;
      sum += term / (2 * n + 1);
    }
    return 2 / Math.sqrt(Math.PI) * sum;
  }

  private double[][] linear(double[][] x, String name) {
    float[] bias = weights.get(name + ".bias");
    float[] matrix = weights.get(name + ".weight");
    double[][] y = new double[x.length][bias.length];
    for (int t = 0; t < x.length; t++) {
      int in = x[t].length;
      for (int o = 0; o < bias.length; o++) {
        y[t][o] = bias[o];
        for (int i = 0; i < in; i++) {
          y[t][o] += matrix[o * in + i] * x[t][i];
        }
      }
    }
    return y;
  }

  private double[][] norm(double[][] x, String name) {
    float[] scale = weights.get(name + ".weight");
    float[] shift = weights.get(name + ".bias");
    double[][] y = new double[x.length][HIDDEN];
    for (int t = 0; t < x.length; t++) {
      double mean = 0;
      double variance = 0;
      for (double value : x[t]) {
        mean += value / HIDDEN;
      }
      for (double value : x[t]) {
        variance += (value - mean) * (value - mean) / HIDDEN;
      }
      for (int i = 0; i < HIDDEN; i++) {
        y[t][i] = (x[t][i] - mean) / Math.sqrt(variance + epsilon) * scale[i] + shift[i];
      }
    }
    return y;
  }

  private double[] row(String name, int index) {
    double[] row = new double[HIDDEN];
    for (int i = 0; i < HIDDEN; i++) {
      row[i] = weights.get(name)[index * HIDDEN + i];
    }
    return row;
  }

  private static double[][] sum(double[][] x, double[][] y) {
    double[][] sum = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      sum[t] = sum(x[t], y[t]);
    }
    return sum;
  }

  private static double[] sum(double[] x, double[] y) {
    double[] sum = x.clone();
    for (int i = 0; i < y.length; i++) {
      sum[i] += y[i];
    }
    return sum;
  }
}
