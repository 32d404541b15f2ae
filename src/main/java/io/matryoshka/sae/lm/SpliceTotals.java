package io.matryoshka.sae.lm;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.internal.filetype.JsonProblems;
import io.matryoshka.sae.internal.io.AtomicFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Sums over the texts that are done: runs are clean, zero, then one for each prefix width. */
final class SpliceTotals {

  private static final ObjectMapper JSON = new ObjectMapper();

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

  void write(Path file, String fingerprint) throws IOException {
    ObjectNode root = JSON.createObjectNode().put("run", fingerprint);
    root.put("texts", texts).put("tokens", tokens).put("predictions", predictions);
    put(root.putArray("cross_entropy"), crossEntropy);
    put(root.putArray("kl"), kl);
    AtomicFile.write(file, root.toString().getBytes(StandardCharsets.UTF_8));
  }

  private static void put(ArrayNode array, double[] values) {
    for (double value : values) {
      array.add(value);
    }
  }

  /** Reads what an earlier run has left; nothing if there is no such file. */
  static SpliceTotals read(Path file, String fingerprint, int runs) throws IOException {
    SpliceTotals totals = new SpliceTotals(runs);
    if (!Files.exists(file)) {
      return totals;
    }
    JsonNode root;
    try {
      root = JSON.readTree(Files.readAllBytes(file));
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(
          file + " is no checkpoint: " + JsonProblems.describe(e), e);
    }
    boolean same =
        root.path("run").asText("").equals(fingerprint)
            && root.path("cross_entropy").size() == runs
            && root.path("kl").size() == runs;
    if (!same) {
      throw new IllegalArgumentException(
          file
              + " is the checkpoint of a run with another model, SAE, text or setting; name another"
              + " file, or delete it");
    }
    totals.texts = root.path("texts").longValue();
    totals.tokens = root.path("tokens").longValue();
    totals.predictions = root.path("predictions").longValue();
    for (int r = 0; r < runs; r++) {
      totals.crossEntropy[r] = root.get("cross_entropy").get(r).doubleValue();
      totals.kl[r] = root.get("kl").get(r).doubleValue();
    }
    return totals;
  }
}
