package io.matryoshka.sae.eval;

import io.matryoshka.sae.config.SaeConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;

/** Says in words what is likely wrong where figures are far from what an SAE gives. */
public final class EvaluationHints {

  /** A mean L0 that is this many times larger or smaller than that of training is told. */
  private static final double FAR = 3;

  /** Fewer rows may be alike, and then have a mean that is hard to beat. */
  private static final int MIN_ROWS = 8;

  private EvaluationHints() {}

  /**
   * Looks at the figures with all latents.
   *
   * @param evaluation the figures, by the SAE's own selection
   * @param config what the files of the SAE say
   * @param trainingK active latents for each token that the SAE was trained with, if known
   * @return a sentence for each thing that is likely wrong; empty if nothing is
   */
  public static List<String> of(Evaluation evaluation, SaeConfig config, OptionalInt trainingK) {
    List<String> hints = new ArrayList<>();
    double explained = evaluation.full().explainedVariance().pooled();
    if (explained < 0 && evaluation.rows() >= MIN_ROWS) {
      hints.add(
          ("explained variance is %s: the reconstruction is worse than the mean activation. Check"
                  + " layer and hook point%s (hidden_states[i] of transformers is the input of"
                  + " layer i, so its output is hidden_states[i + 1]), scaling of the activations,"
                  + " and special tokens (--mask)")
              .formatted(number(explained), config.hookPoint().map(h -> ", here " + h).orElse("")));
    }
    double l0 = evaluation.full().sparsity().l0();
    boolean isWhole = evaluation.full().width() == config.dSae();
    if (isWhole && trainingK.isPresent() && isFar(l0, trainingK.getAsInt())) {
      hints.add(
          ("mean L0 is %s, but the SAE was trained with %d active latents for each token; check that"
                  + " the activations come from its hook point and are not scaled")
              .formatted(number(l0), trainingK.getAsInt()));
    }
    evaluation
        .outliers()
        .ifPresent(
            outliers ->
                hints.add(
                    ("%d of %d rows hold %s %% of the squared norm and so decide explained variance"
                            + " and MSE, as the first token (BOS) of each prompt often does; leave"
                            + " them out with --mask")
                        .formatted(
                            outliers.rows(), evaluation.rows(), number(100 * outliers.share()))));
    return List.copyOf(hints);
  }

  private static boolean isFar(double l0, int trained) {
    return l0 > FAR * trained || l0 < trained / FAR;
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.1f", value);
  }
}
