package io.matryoshka.sae.internal.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.internal.kernel.cpu.PreparedEncoder;
import io.matryoshka.sae.registry.SaeEntry;
import io.matryoshka.sae.registry.SaeLocation;
import io.matryoshka.sae.registry.TrainingFacts;
import java.util.Locale;

/** What the registry knows of one SAE. */
final class EntryFacts {

  private EntryFacts() {}

  static void add(SaeEntry entry, ObjectNode json, TextTable text) {
    json.put("release", entry.release());
    SaeJson.put(json, entry);
    json.put("location", location(entry.location()));
    entry.neuronpediaUrl(0).ifPresent(url -> json.put("neuronpedia_url", url.toString()));
    text.row("location", location(entry.location()));
    entry.layer().ifPresent(layer -> text.row("layer", layer));
    text.row("hook point", entry.hookPoint());
    text.field("hook point of the output", entry.hookPointOut());
    text.row("format", entry.format());
    text.row("d_in", entry.dIn());
    text.row("d_sae", entry.dSae());
    text.row(
        "Matryoshka widths",
        entry.widths().size() > 1
            ? entry.widths()
            : "none published; any prefix can be looked at with --prefix");
    entry.trainingK().ifPresent(k -> text.row("training k", k));
    entry.training().ifPresent(t -> text.row("training", training(t)));
    entry
        .explainedVariance()
        .ifPresent(v -> text.row("explained variance (published)", Numbers.fixed(v, 4)));
    text.field("Neuronpedia, latent 0", entry.neuronpediaUrl(0));
  }

  /** What loading in float32 would take; the files tell it exactly. */
  static void addMemory(SaeEntry entry, ObjectNode json, TextTable text) {
    long weights = 2L * entry.dIn() * entry.dSae() * Float.BYTES;
    long prepared = PreparedEncoder.bytes(entry.dIn(), entry.dSae());
    json.put("weight_bytes", weights).put("prepared_bytes", prepared);
    text.row("memory for weights", Numbers.bytes(weights));
    text.row("memory for the prepared encoder", Numbers.bytes(prepared));
  }

  private static String training(TrainingFacts facts) {
    return "%s tokens of %s, %s loss"
        .formatted(
            String.format(Locale.ROOT, "%,d", facts.tokens()), facts.dataset(), facts.loss());
  }

  private static String location(SaeLocation location) {
    if (location instanceof SaeLocation.Hub hub) {
      return "Hub, %s, folder %s, revision %s".formatted(hub.repoId(), hub.path(), hub.revision());
    }
    if (location instanceof SaeLocation.Directory directory) {
      return directory.path().toString();
    }
    return "bundled with this program";
  }
}
