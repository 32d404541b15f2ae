package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.Selection;
import picocli.CommandLine.Option;

/** Another selection than the SAE's own; a command takes at most one of the two. */
final class SelectionGroup {

  @Option(
      names = "--top-k",
      paramLabel = "K",
      description = "Keep the K largest latents of each token, instead of those above threshold.")
  private Integer topK;

  @Option(
      names = "--batch-top-k",
      paramLabel = "K",
      description = "Keep the K * rows largest latents of each batch (see --batch).")
  private Integer batchTopK;

  Selection selection() {
    return topK != null ? Selection.topK(topK) : Selection.batchTopK(batchTopK);
  }
}
