package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.config.SaeConfig;
import io.matryoshka.sae.eval.Evaluation;
import io.matryoshka.sae.eval.EvaluationHints;
import io.matryoshka.sae.eval.EvaluationOptions;
import io.matryoshka.sae.eval.TextEvaluationRun;
import io.matryoshka.sae.eval.TextEvaluationRun.Candidate;
import io.matryoshka.sae.lm.SpliceLoss;
import io.matryoshka.sae.lm.SpliceLossRun;
import io.matryoshka.sae.registry.SaeEntry;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** Evaluates the SAEs of several layers on texts that go through the language model once. */
final class LayersEvaluation {

  private final LoadMixin load;
  private final ActivationsOrDemoMixin activations;
  private final ModelMixin model;
  private final TextMixin text;
  private final Output output;
  private final List<SaeConfig> configs = new ArrayList<>();
  private final List<Candidate> candidates = new ArrayList<>();

  LayersEvaluation(LoadMixin load, ActivationsOrDemoMixin activations, Output output) {
    this.load = load;
    this.activations = activations;
    model = activations.model();
    text = activations.text();
    this.output = output;
  }

  /** Checks every SAE before the model runs, and measures the losses too if they are wanted. */
  LayersResult run(
      List<SaeEntry> entries, EvaluationOptions options, boolean skipNonFinite, boolean withLoss)
      throws IOException {
    LayerSaes saes = new LayerSaes(entries, load, model, text, output);
    try (LayerSaes.Opened opened = saes.open(this::add)) {
      if (activations.skipsSpecial()) {
        TextActivations.requireSpecial(opened.model());
      }
      List<Evaluation> evaluations = evaluate(opened, options);
      List<LayerFigures> figures = new ArrayList<>();
      for (int i = 0; i < entries.size(); i++) {
        SaeEntry entry = entries.get(i);
        Evaluation evaluation = evaluations.get(i);
        requireFinite(entry, evaluation, skipNonFinite);
        hint(entry, evaluation, configs.get(i), options);
        Optional<SpliceLoss> loss = withLoss ? Optional.of(loss(entry, opened)) : Optional.empty();
        figures.add(new LayerFigures(entry, configs.get(i).dtype(), evaluation, loss));
      }
      return new LayersResult(
          entries.get(0).release(),
          opened.model().name(),
          model.arithmetic(),
          text.packedFiles(),
          opened.packing().contextSize(),
          opened.texts(),
          activations.skipsSpecial(),
          figures);
    }
  }

  private void add(SaeEntry entry, SaeConfig sae) {
    configs.add(sae);
    Candidate candidate = Candidate.of(sae, () -> load.open(entry, output));
    candidates.add(activations.skipsSpecial() ? candidate.skipSpecialTokens() : candidate);
  }

  private List<Evaluation> evaluate(LayerSaes.Opened opened, EvaluationOptions options)
      throws IOException {
    try (StagedProgress progress = new StagedProgress(output)) {
      return new TextEvaluationRun(opened.model(), options)
          .progress(progress::step)
          .run(opened.texts(), candidates);
    }
  }

  private static void requireFinite(SaeEntry entry, Evaluation evaluation, boolean skip) {
    if (evaluation.nonFiniteRows() > 0 && !skip) {
      throw new IllegalArgumentException(
          "%s: %d rows or their reconstructions hold a NaN or an infinity; leave them out with --skip-non-finite"
              .formatted(entry.saeId(), evaluation.nonFiniteRows()));
    }
  }

  /** Says what is likely wrong with the figures of an SAE. */
  private void hint(
      SaeEntry entry, Evaluation evaluation, SaeConfig config, EvaluationOptions options) {
    OptionalInt trained = options.selection().isEmpty() ? entry.trainingK() : OptionalInt.empty();
    EvaluationHints.of(evaluation, config, trained)
        .forEach(hint -> output.note(entry.saeId() + ": " + hint));
  }

  private SpliceLoss loss(SaeEntry entry, LayerSaes.Opened opened) throws IOException {
    try (SAE sae = load.open(entry, output)) {
      SpliceLossRun run =
          new SpliceLossRun(opened.model(), sae).keepBos(activations.leavesOutSpecial(sae));
      return LossMixin.measure(run, opened.texts(), Optional.empty(), output);
    }
  }
}
