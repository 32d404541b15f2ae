package io.matryoshka.sae.lm;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/**
 * What it costs a model to see the reconstruction of an SAE in place of its activations, in nats a
 * token.
 *
 * @param texts texts or contexts of the corpus
 * @param tokens their tokens
 * @param clean the cross-entropy without any change
 * @param zero the run with the activations set to 0
 * @param widths the runs with the reconstruction, one for each prefix width
 */
public record SpliceLoss(long texts, long tokens, double clean, Run zero, List<WidthLoss> widths) {

  /**
   * Copies the list.
   *
   * @param texts texts of the corpus
   * @param tokens their tokens
   * @param clean the cross-entropy without any change
   * @param zero the run with the activations set to 0
   * @param widths the runs with the reconstruction
   */
  public SpliceLoss {
    widths = List.copyOf(widths);
  }

  /**
   * Returns the means as JSON, with an object for each width under {@code widths}; a number that is
   * not defined is null.
   *
   * @return the text of an object
   */
  public String json() {
    ObjectNode means = JsonNodeFactory.instance.objectNode();
    means.put("texts", texts).put("tokens", tokens);
    put(means, "cross_entropy_clean", clean);
    put(means, "cross_entropy_zero", zero.crossEntropy());
    put(means, "kl_zero", zero.kl());
    ObjectNode byWidth = means.putObject("widths");
    for (WidthLoss width : widths) {
      ObjectNode node = byWidth.putObject(Integer.toString(width.prefixWidth()));
      put(node, "cross_entropy", width.crossEntropy());
      put(node, "kl", width.kl());
      put(node, "recovered", width.recovered());
    }
    return means.toString();
  }

  private static void put(ObjectNode node, String name, double value) {
    if (Double.isFinite(value)) {
      node.put(name, value);
    } else {
      node.putNull(name);
    }
  }

  /**
   * Means of one run.
   *
   * @param crossEntropy mean over all tokens but the last of each text; lower is better
   * @param kl mean over all tokens of KL(clean run || this run); lower is better
   */
  public record Run(double crossEntropy, double kl) {}

  /**
   * The run with the reconstruction from the first latents.
   *
   * @param prefixWidth the number of latents
   * @param crossEntropy mean cross-entropy; lower is better
   * @param kl mean divergence from the clean run; lower is better
   * @param recovered the share of the loss that the reconstruction keeps from being lost: {@code
   *     (zero - crossEntropy) / (zero - clean)}, at most 1 in general, higher is better; NaN if
   *     setting the activations to 0 costs nothing
   */
  public record WidthLoss(int prefixWidth, double crossEntropy, double kl, double recovered) {}
}
