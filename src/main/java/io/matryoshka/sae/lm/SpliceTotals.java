package io.matryoshka.sae.lm;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Sums over the texts that are done: runs are clean, zero, then one for each prefix width. */
final class SpliceTotals {

  private final double[] crossEntropy;
  private final double[] kl;
  private long texts;
  private long tokens;
  private long predictions;

  SpliceTotals(int runs) {
    crossEntropy = new double[runs];
    kl = new double[runs];
  }

  /** The number of texts that are done. */
  long texts() {
    return texts;
  }

  void add(List<TokenLosses> losses) {
    texts++;
    tokens += losses.get(0).kl().length;
    predictions += losses.get(0).crossEntropy().length;
    for (int r = 0; r < crossEntropy.length; r++) {
      for (double loss : losses.get(r).crossEntropy()) {
        crossEntropy[r] += loss;
      }
      for (double divergence : losses.get(r).kl()) {
        kl[r] += divergence;
      }
    }
  }

  SpliceLoss result(List<Integer> widths) {
    double clean = crossEntropy[0] / predictions;
    SpliceLoss.Run zero = new SpliceLoss.Run(crossEntropy[1] / predictions, kl[1] / tokens);
    List<SpliceLoss.WidthLoss> runs = new ArrayList<>();
    for (int w = 0; w < widths.size(); w++) {
      double loss = crossEntropy[w + 2] / predictions;
      double lost = zero.crossEntropy() - clean;
      double recovered = lost == 0 ? Double.NaN : (zero.crossEntropy() - loss) / lost;
      runs.add(new SpliceLoss.WidthLoss(widths.get(w), loss, kl[w + 2] / tokens, recovered));
    }
    return new SpliceLoss(texts, tokens, clean, zero, runs);
  }

  /** Adds the sums to a JSON object. */
  void addTo(ObjectNode root) {
    root.put("texts", texts).put("tokens", tokens).put("predictions", predictions);
    put(root.putArray("cross_entropy"), crossEntropy);
    put(root.putArray("kl"), kl);
  }

  private static void put(ArrayNode array, double[] values) {
    for (double value : values) {
      array.add(value);
    }
  }

  /** Reads the sums; empty if the object has not those of as many runs. */
  static Optional<SpliceTotals> read(JsonNode root, int runs) {
    JsonNode losses = root.path("cross_entropy");
    JsonNode divergences = root.path("kl");
    if (losses.size() != runs || divergences.size() != runs) {
      return Optional.empty();
    }
    SpliceTotals totals = new SpliceTotals(runs);
    totals.texts = root.path("texts").longValue();
    totals.tokens = root.path("tokens").longValue();
    totals.predictions = root.path("predictions").longValue();
    for (int r = 0; r < runs; r++) {
      totals.crossEntropy[r] = losses.get(r).doubleValue();
      totals.kl[r] = divergences.get(r).doubleValue();
    }
    return Optional.of(totals);
  }
}
