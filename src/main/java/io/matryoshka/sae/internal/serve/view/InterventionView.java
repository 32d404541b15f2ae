package io.matryoshka.sae.internal.serve.view;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.lm.HookPoint;
import io.matryoshka.sae.lm.Intervention;
import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.lm.TokenLosses;
import io.matryoshka.sae.lm.Tokens;
import io.matryoshka.sae.lm.Trace;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.IntStream;

/** What a change of latents does: the loss of each token, and the prediction after one. */
final class InterventionView {

  private static final int MOST_PREDICTIONS = 50;

  private InterventionView() {}

  static ObjectNode of(OpenSae open, Fields fields, Limits limits, Cancellation cancellation)
      throws IOException {
    open.requireOnePlace();
    open.requireDecoder();
    String text = fields.text("text");
    Edits edits = Edits.read(fields, open, limits);
    Tokens tokens = open.tokens(text, limits);
    int last = tokens.size() - 1;
    int position = fields.number("position", last, 0, last);
    int count = fields.number("count", 10, 1, MOST_PREDICTIONS);
    fields.requireNoOther();
    edits.requireReached(open, tokens, 0);
    List<Intervention> changes = edits.of(open.sae());
    List<TokenLosses> losses = open.model().losses(tokens, List.of(changes));
    ObjectNode node = Json.object().put("sae", open.name().key());
    LossView.put(node.putObject("clean"), losses.get(0));
    LossView.putChanged(node.putObject("changed"), losses.get(1));
    node.put("position", position);
    Tokens read = tokens.range(0, position + 1);
    cancellation.check();
    double[] clean = nextProbabilities(open.model(), read, List.of());
    cancellation.check();
    double[] changed = nextProbabilities(open.model(), read, changes);
    putNext(node.putArray("next"), open.model(), clean, changed, count);
    List<String> words = new ArrayList<>(List.of("--text", text));
    words.addAll(edits.words());
    words.add("--json");
    SameCalls.put(
        node,
        java(open.name(), text, edits, position),
        edits.edits().isEmpty()
            ? Optional.empty()
            : Optional.of(SameCalls.cli("loss", open.name(), words)));
    return node;
  }

  /** The probabilities of all tokens after the last one, of which only one row is unembedded. */
  static double[] nextProbabilities(
      LanguageModel model, Tokens tokens, List<Intervention> interventions) {
    HookPoint end = HookPoint.residPost(model.config().layerCount() - 1);
    try (Trace trace = model.trace(List.of(tokens), List.of(end), interventions)) {
      NDArray stream = trace.at(end);
      try (NDManager scope = stream.getManager().newSubManager()) {
        NDArray row = stream.get((tokens.size() - 1) + ":" + tokens.size());
        row.attach(scope);
        return softmax(model.unembed(row, scope).toFloatArray());
      }
    }
  }

  private static double[] softmax(float[] logits) {
    double largest = Double.NEGATIVE_INFINITY;
    for (float logit : logits) {
      largest = Math.max(largest, logit);
    }
    double[] probabilities = new double[logits.length];
    double sum = 0;
    for (int i = 0; i < logits.length; i++) {
      probabilities[i] = Math.exp(logits[i] - largest);
      sum += probabilities[i];
    }
    for (int i = 0; i < logits.length; i++) {
      probabilities[i] /= sum;
    }
    return probabilities;
  }

  private static void putNext(
      ArrayNode array, LanguageModel model, double[] clean, double[] changed, int count)
      throws IOException {
    TreeSet<Integer> ids = new TreeSet<>(likeliest(clean, count));
    ids.addAll(likeliest(changed, count));
    List<Integer> ordered =
        ids.stream()
            .sorted(Comparator.comparingDouble(id -> -Math.max(clean[id], changed[id])))
            .toList();
    for (int id : ordered) {
      array
          .addObject()
          .put("id", id)
          .put("text", model.piece(id))
          .put("clean", clean[id])
          .put("changed", changed[id]);
    }
  }

  /** The ids of the largest values, largest first; of equal ones the lower id comes first. */
  static List<Integer> likeliest(double[] values, int count) {
    return IntStream.range(0, values.length)
        .boxed()
        .sorted(Comparator.<Integer>comparingDouble(id -> -values[id]))
        .limit(count)
        .toList();
  }

  private static String java(SaeName name, String text, Edits edits, int position) {
    return SameCalls.javaWithModel(
        name,
        """
        Tokens tokens = model.tokens(%s);
        %s
        List<TokenLosses> losses = model.losses(tokens, List.of(changes)); // clean, changed
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
          NDArray clean = model.logits(tokens, manager).get(%d).softmax(-1);
          NDArray changed =
              model.logits(tokens, manager, changes.toArray(new Intervention[0])).get(%d).softmax(-1);
        }"""
            .formatted(SameCalls.literal(text), edits.java(), position, position));
  }
}
