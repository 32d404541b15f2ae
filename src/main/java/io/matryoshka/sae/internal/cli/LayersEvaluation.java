package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.eval.Evaluation;
import io.matryoshka.sae.eval.EvaluationHints;
import io.matryoshka.sae.eval.EvaluationOptions;
import io.matryoshka.sae.eval.TextEvaluationRun;
import io.matryoshka.sae.eval.TextEvaluationRun.Candidate;
import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.lm.PackingOptions;
import io.matryoshka.sae.lm.SpliceLoss;
import io.matryoshka.sae.lm.SpliceLossRun;
import io.matryoshka.sae.lm.Tokens;
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
    LayerSaes saes = new LayerSaes(entries, load, model, text);
    try (LanguageModel opened = saes.openModel(output)) {
      if (activations.skipsSpecial() && opened.specialIds().isEmpty()) {
        throw TextActivations.noneKnown(opened);
      }
      PackingOptions packing = saes.look(opened, output, this::add);
      List<Tokens> texts = text.read(opened, packing);
      List<Evaluation> evaluations = evaluate(opened, texts, options);
      List<LayerFigures> figures = new ArrayList<>();
      for (int i = 0; i < entries.size(); i++) {
        SaeEntry entry = entries.get(i);
        Evaluation evaluation = evaluations.get(i);
        requireFinite(entry, evaluation, skipNonFinite);
        try (SAE sae = load.open(entry, output)) {
          hint(entry, evaluation, sae, options);
          Optional<SpliceLoss> loss =
              withLoss ? Optional.of(loss(sae, opened, texts)) : Optional.empty();
          figures.add(new LayerFigures(entry, sae.config().dtype(), evaluation, loss));
        }
      }
      return new LayersResult(
          entries.get(0).release(),
          opened.name(),
          model.arithmetic(),
          text.packedFiles(),
          packing.contextSize(),
          texts,
          activations.skipsSpecial(),
          figures);
    }
  }

  private void add(SaeEntry entry, SAE sae) {
    Candidate candidate = Candidate.of(sae, () -> load.open(entry, output));
    candidates.add(activations.skipsSpecial() ? candidate.skipSpecialTokens() : candidate);
  }

  private List<Evaluation> evaluate(
      LanguageModel opened, List<Tokens> texts, EvaluationOptions options) throws IOException {
    try (StagedProgress progress = new StagedProgress(output)) {
      return new TextEvaluationRun(opened, options).progress(progress::step).run(texts, candidates);
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
  private void hint(SaeEntry entry, Evaluation evaluation, SAE sae, EvaluationOptions options) {
    OptionalInt trained = options.selection().isEmpty() ? entry.trainingK() : OptionalInt.empty();
    EvaluationHints.of(evaluation, sae, trained)
        .forEach(hint -> output.note(entry.saeId() + ": " + hint));
  }

  private SpliceLoss loss(SAE sae, LanguageModel opened, List<Tokens> texts) throws IOException {
    SpliceLossRun run = new SpliceLossRun(opened, sae).keepBos(activations.leavesOutSpecial(sae));
    return LossMixin.measure(run, texts, Optional.empty(), output);
  }
}
