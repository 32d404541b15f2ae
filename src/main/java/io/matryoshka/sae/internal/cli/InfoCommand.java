package io.matryoshka.sae.internal.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.registry.SaeEntry;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Describes one SAE: what the registry knows, and what its files say where they are at hand. */
@Command(
    name = "info",
    description = {
      "Describes one SAE: sizes, Matryoshka widths, training, thresholds, how often its latents"
          + " fire, and the memory that it takes.",
      "Downloads nothing for a known release: what only the files tell is shown once they are"
          + " cached."
    },
    footer = {
      "",
      "Example:",
      "  matryoshka-sae info gemma-2-2b-res-matryoshka-dc blocks.12.hook_resid_post"
    })
final class InfoCommand implements Callable<Integer> {

  @Mixin private LoadMixin load;

  @Mixin private Output output;

  @Override
  public Integer call() throws IOException {
    Optional<SaeEntry> entry = load.entry();
    boolean complete = entry.isEmpty() || load.isAtHand();
    ObjectNode json = Output.object();
    TextTable text = TextTable.ofFields();
    entry.ifPresent(e -> EntryFacts.add(e, json, text));
    if (complete) {
      try (SAE sae = load.open(output)) {
        SaeFacts.add(sae, json, text);
      }
    } else {
      EntryFacts.addMemory(entry.get(), json, text);
    }
    json.put("at_hand", complete);
    if (output.isJson()) {
      output.json(json);
      return ExitCode.OK.code();
    }
    output.line(load.name());
    output.table(text);
    if (!complete) {
      output.line("");
      output.line(
          "Thresholds and firing frequencies are shown once the files are here: matryoshka-sae"
              + " download "
              + load.name());
    }
    return ExitCode.OK.code();
  }
}
