package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.explore.ExplorerOptions;
import io.matryoshka.sae.stream.RowRules;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** The options that say what an exploration looks for. */
final class ExplorerMixin {

  @Option(
      names = "--latent",
      paramLabel = "N",
      arity = "1..*",
      parameterConsumer = RangesConsumer.class,
      description =
          "Latents to describe, such as 3 or 0-7,17; may be given again; default: the first 2048"
              + " that fire.")
  private List<IntRange> latents = new ArrayList<>();

  @Option(
      names = "--contexts",
      paramLabel = "N",
      defaultValue = "8",
      description = "Strongest tokens to show for each latent; default: ${DEFAULT-VALUE}.")
  private int contexts;

  @Option(
      names = "--reach",
      paramLabel = "N",
      defaultValue = "8",
      description = "Tokens of context on each side; default: ${DEFAULT-VALUE}.")
  private int reach;

  /** Whether latents were named, which are then described one by one. */
  boolean namesLatents() {
    return !latents.isEmpty();
  }

  ExplorerOptions options(RowRules rows) {
    return ExplorerOptions.defaults()
        .latents(latents.stream().flatMap(IntRange::stream).toList())
        .contexts(contexts, reach)
        .rows(rows);
  }
}
