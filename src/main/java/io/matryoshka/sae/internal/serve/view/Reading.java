package io.matryoshka.sae.internal.serve.view;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.ActiveLatent;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.lm.HookPoint;
import io.matryoshka.sae.lm.Tokens;
import io.matryoshka.sae.lm.Trace;
import java.io.IOException;
import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * A text as an SAE or a prefix view reads it, in plain Java memory.
 *
 * @param sae the SAE or the prefix view
 * @param tokens the text
 * @param latents the active latents of each token
 * @param figures of the activations that are to be reconstructed
 * @param none what decoding no latents gives, {@code [n, d_out]}
 * @param nested the reconstructions of all prefix widths, {@code [widths][n, d_out]}
 * @param counted tokens that count in means
 */
record Reading(
    SAE sae,
    Tokens tokens,
    SparseLatents latents,
    ReconstructionFigures figures,
    float[] none,
    float[][] nested,
    BitSet counted) {

  /** Runs a text up to the place that the SAE reads, and encodes it. */
  static Reading of(OpenSae open, SAE sae, Tokens tokens) throws IOException {
    Set<Integer> uncounted = open.uncounted();
    BitSet counted = new BitSet();
    IntStream.range(0, tokens.size())
        .filter(position -> !uncounted.contains(tokens.id(position)))
        .forEach(counted::set);
    HookPoint in = open.hookPoint();
    HookPoint out = open.hookPointOut();
    Set<HookPoint> places = new LinkedHashSet<>(List.of(in));
    places.add(out);
    try (Trace trace = open.model().trace(tokens, places.toArray(HookPoint[]::new))) {
      NDArray x = trace.at(in);
      SparseLatents latents = sae.encodeSparse(x);
      ReconstructionFigures figures =
          new ReconstructionFigures(floats(trace.at(out)), sae.dOut(), counted);
      try (NDManager scope = x.getManager().newSubManager()) {
        return new Reading(
            sae,
            tokens,
            latents,
            figures,
            floats(none(sae, x, latents, scope)),
            nested(sae, x, latents, scope),
            counted);
      }
    }
  }

  private static NDArray none(SAE sae, NDArray x, SparseLatents latents, NDManager scope) {
    NDArray none =
        sae.isTranscoder() // its skip connection works without latents, too
            ? sae.forward(x, f -> f.zeroRange(0, sae.dSae()))
            : sae.decode(latents.zeroRange(0, sae.dSae()), scope);
    none.attach(scope);
    return none;
  }

  private static float[][] nested(SAE sae, NDArray x, SparseLatents latents, NDManager scope) {
    NDArray[] nested =
        sae.isTranscoder() ? sae.reconstructions(x) : sae.reconstructions(latents, scope);
    return Arrays.stream(nested)
        .map(
            array -> {
              array.attach(scope);
              return floats(array);
            })
        .toArray(float[][]::new);
  }

  /** Copies an array, that of a float64 SAE rounded to float32. */
  private static float[] floats(NDArray array) {
    try (NDArray rounded = array.toType(DataType.FLOAT32, true)) {
      return rounded.toFloatArray();
    }
  }

  /** The mean number of active latents of a counted token among the first ones. */
  double l0(int width) {
    return counted.stream().mapToLong(token -> active(token, width)).average().orElse(Double.NaN);
  }

  private long active(int token, int width) {
    long[] count = new long[1];
    latents.forEach(token, (latent, activation) -> count[0] += latent < width ? 1 : 0);
    return count[0];
  }

  void putTokens(ObjectNode node) {
    ArrayNode array = node.putArray("tokens");
    for (int i = 0; i < tokens.size(); i++) {
      ObjectNode token = array.addObject().put("id", tokens.id(i)).put("text", tokens.piece(i));
      token.put("start", tokens.span(i).map(Tokens.Span::start).orElse(null));
      token.put("end", tokens.span(i).map(Tokens.Span::end).orElse(null));
      token.put("special", tokens.span(i).isEmpty()).put("counted", counted.get(i));
    }
  }

  /** The active latents of each token, strongest first. */
  void putLatents(ObjectNode node) {
    ArrayNode array = node.putArray("latents");
    for (int i = 0; i < tokens.size(); i++) {
      ArrayNode pairs = array.addArray();
      for (ActiveLatent active : latents.strongest(i, latents.activeCount(i))) {
        pairs.addArray().add(active.latent()).add(active.activation());
      }
    }
  }

  /** The figures of one prefix width. */
  void putWidth(ObjectNode node, int index) {
    int width = sae.widths().get(index);
    node.put("width", width);
    Json.put(node, "explained_variance", figures.explainedVariance(nested[index]));
    Json.put(node, "l0", l0(width));
    node.set("error", Json.array(figures.errors(nested[index])));
  }

  /** The labels of the latents that occur. */
  void putLabels(ObjectNode node, SaeLabels labels) {
    ObjectNode object = node.putObject("labels");
    IntStream.of(latents.latents())
        .distinct()
        .sorted()
        .forEach(
            latent ->
                labels.text(latent).ifPresent(text -> object.put(Integer.toString(latent), text)));
  }
}
