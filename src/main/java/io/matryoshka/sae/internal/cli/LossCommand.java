package io.matryoshka.sae.internal.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.lm.Intervention;
import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.lm.SpliceLoss;
import io.matryoshka.sae.lm.SpliceLossRun;
import io.matryoshka.sae.lm.TokenLosses;
import io.matryoshka.sae.lm.Tokens;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Measures how well a language model predicts texts, with and without an SAE in it. */
@Command(
    name = "loss",
    description = {
      "Measures the loss of a language model on texts, in nats a token. With an SAE: also with its"
          + " reconstruction in place of the activations, at every prefix width. With --steer,"
          + " --ablate or --splice: with that change.",
      "With --checkpoint a run that was stopped resumes with the same command."
    })
final class LossCommand implements Callable<Integer> {

  @Spec private CommandSpec command;

  @Mixin private LoadMixin load;

  @Mixin private ModelMixin model;

  @Mixin private TextMixin text;

  @Mixin private InterventionMixin interventions;

  @Option(
      names = "--checkpoint",
      paramLabel = "FILE",
      description = "Keep in this file what is done, and go on from it.")
  private Path checkpoint;

  @Mixin private Output output;

  private final ObjectNode result = Output.object();

  @Override
  public Integer call() throws IOException {
    if (!load.isNamed() && !model.isGiven()) {
      throw usage("expected RELEASE and SAE_ID, or a language model with --model, got none");
    }
    if (!load.isNamed() && interventions.isGiven()) {
      throw usage(
          "--steer, --ablate, --scale and --splice need RELEASE and SAE_ID, or --dir FOLDER");
    }
    if (checkpoint != null && (!load.isNamed() || interventions.isGiven())) {
      throw usage(
          "--checkpoint is for the losses of an SAE at every width: name an SAE and leave out"
              + " --steer, --ablate, --scale and --splice, or leave out --checkpoint");
    }
    if (!load.isNamed()) {
      load.requireNoOptionsOfSae();
      try (LanguageModel opened = load.openModel(model, output)) {
        changed(opened, text.read(opened, Optional.empty()), List.of());
      }
    } else {
      try (SAE sae = load.open(output);
          LanguageModel opened = load.openModel(sae, model, output)) {
        List<Tokens> texts = text.read(opened, Optional.of(sae));
        if (interventions.isGiven()) {
          List<Intervention> changes = interventions.of(sae);
          interventions.requireReached(opened, changes, texts, 0);
          interventions
              .reach(opened, changes)
              .flatMap(reach -> reach.note(texts, Collections.nCopies(texts.size(), 0)))
              .ifPresent(output::note);
          changed(opened, texts, changes);
        } else {
          spliced(opened, sae, texts);
        }
      }
    }
    if (output.isJson()) {
      output.json(result);
    }
    return ExitCode.OK.code();
  }

  /** Losses of the clean run and, if there is a change, of the changed one. */
  private void changed(LanguageModel opened, List<Tokens> texts, List<Intervention> changes) {
    ArrayNode array = result.putArray("texts");
    TextTable table = TextTable.of("text", "tokens", "clean", "changed", "KL");
    try (Progress bar = output.progress("loss", "texts", texts.size())) {
      for (int t = 0; t < texts.size(); t++) {
        List<TokenLosses> losses = opened.losses(texts.get(t), List.of(changes));
        ObjectNode node = array.addObject();
        ids(node, texts.get(t));
        put(node, losses.get(0), false);
        if (!changes.isEmpty()) {
          put(node.putObject("changed"), losses.get(1), true);
        }
        table.row(
            Integer.toString(t),
            Integer.toString(texts.get(t).size()),
            mean(losses.get(0).crossEntropy()),
            changes.isEmpty() ? "" : mean(losses.get(1).crossEntropy()),
            changes.isEmpty() ? "" : mean(losses.get(1).kl()));
        bar.stepTo(t + 1L);
      }
    }
    if (!output.isJson()) {
      output.table(table);
    }
  }

  /** Losses with the reconstruction at every width. */
  @SuppressWarnings("try") // The hint does its work by being open.
  private void spliced(LanguageModel opened, SAE sae, List<Tokens> texts) throws IOException {
    ArrayNode array = result.putArray("texts");
    try (Progress bar = output.progress("loss", "texts", texts.size());
        ResumeHint hint = resumeHint()) {
      SpliceLossRun run =
          new SpliceLossRun(opened, sae)
              .progress(bar::stepTo)
              .listener((tokens, losses) -> put(array.addObject(), sae, tokens, losses));
      run = checkpoint == null ? run : run.checkpoint(checkpoint);
      report(run.run(texts));
    }
  }

  private ResumeHint resumeHint() {
    return ResumeHint.whileOpen(
        output,
        checkpoint == null
            ? "name a file with --checkpoint to be able to go on"
            : "run the same command to go on");
  }

  private void put(ObjectNode node, SAE sae, Tokens tokens, List<TokenLosses> losses) {
    if (!output.isJson()) {
      return;
    }
    ids(node, tokens);
    put(node, losses.get(0), false);
    put(node.putObject("zero"), losses.get(1), true);
    ObjectNode widths = node.putObject("spliced");
    for (int w = 0; w < sae.widths().size(); w++) {
      put(widths.putObject(Integer.toString(sae.widths().get(w))), losses.get(w + 2), true);
    }
  }

  private static void ids(ObjectNode node, Tokens tokens) {
    ArrayNode array = node.putArray("ids");
    Arrays.stream(tokens.ids()).forEach(array::add);
  }

  private static void put(ObjectNode node, TokenLosses losses, boolean withKl) {
    ArrayNode crossEntropy = node.putArray("cross_entropy");
    Arrays.stream(losses.crossEntropy()).forEach(crossEntropy::add);
    if (withKl) {
      ArrayNode kl = node.putArray("kl");
      Arrays.stream(losses.kl()).forEach(kl::add);
    }
  }

  private void report(SpliceLoss loss) {
    if (output.isJson()) {
      result.set("means", Output.tree(loss.json()));
    } else {
      LossText.print(loss, output);
    }
  }

  private static String mean(double[] values) {
    return values.length == 0 ? "" : Numbers.fixed(Arrays.stream(values).average().orElse(0), 4);
  }

  private ParameterException usage(String message) {
    return new ParameterException(command.commandLine(), message);
  }
}
