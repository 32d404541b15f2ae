package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.eval.Evaluation;
import io.matryoshka.sae.eval.PublishedComparison;
import io.matryoshka.sae.lm.SpliceLoss;
import io.matryoshka.sae.registry.SaeEntry;
import io.matryoshka.sae.safetensors.Dtype;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * What was measured of one SAE of several.
 *
 * @param entry the SAE in the registry
 * @param dtype the type of its weights
 * @param evaluation its figures
 * @param loss what its reconstruction costs the model, if that was asked for
 */
record LayerFigures(SaeEntry entry, Dtype dtype, Evaluation evaluation, Optional<SpliceLoss> loss) {

  double explainedVariance() {
    return evaluation.full().explainedVariance().pooled();
  }

  /** The published explained variance and the difference to it; empty for a prefix of the SAE. */
  PublishedComparison published() {
    return isWhole()
        ? evaluation.compareWith(entry, Optional.empty())
        : new PublishedComparison(OptionalDouble.empty(), OptionalDouble.empty(), Optional.empty());
  }

  /** The active latents that training aimed at; empty for a prefix of the SAE. */
  OptionalInt trainingL0() {
    return isWhole() ? entry.trainingK() : OptionalInt.empty();
  }

  OptionalDouble recovered() {
    return loss.isEmpty()
        ? OptionalDouble.empty()
        : OptionalDouble.of(loss.get().widths().get(loss.get().widths().size() - 1).recovered());
  }

  private boolean isWhole() {
    return evaluation.full().width() == entry.dSae();
  }
}
