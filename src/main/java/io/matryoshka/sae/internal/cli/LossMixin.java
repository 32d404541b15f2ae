package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.lm.SpliceLoss;
import io.matryoshka.sae.lm.SpliceLossRun;
import io.matryoshka.sae.lm.Tokens;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;

/** The option that measures, beside other figures, what a reconstruction costs the model. */
final class LossMixin {

  private static final String NAME = "--loss";

  @Option(
      names = NAME,
      description =
          "Measure also what the reconstruction costs the language model on the texts:"
              + " cross-entropy, KL and recovered share at every width, as the command loss does.")
  private boolean given;

  boolean isGiven() {
    return given;
  }

  /** Whether an option of a command is this one, and given. */
  static boolean isSetBy(OptionSpec option) {
    return option.longestName().equals(NAME) && Boolean.TRUE.equals(option.getValue());
  }

  /** Where losses keep what is done, beside the checkpoint of the other figures. */
  static Path checkpointBeside(Path checkpoint) {
    return checkpoint.resolveSibling(checkpoint.getFileName() + ".loss");
  }

  /** Runs the texts; with a checkpoint it goes on from there. */
  static SpliceLoss measure(
      SpliceLossRun run, List<Tokens> texts, Optional<Path> checkpoint, Output output)
      throws IOException {
    SpliceLossRun kept = checkpoint.isPresent() ? run.checkpoint(checkpoint.get()) : run;
    try (Progress bar = output.progress("loss", "texts", texts.size())) {
      return kept.progress(bar::stepTo).run(texts);
    }
  }
}
