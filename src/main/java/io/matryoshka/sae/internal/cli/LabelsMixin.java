package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.labels.LabelException;
import io.matryoshka.sae.labels.LabelOptions;
import io.matryoshka.sae.labels.Labels;
import io.matryoshka.sae.registry.SaeEntry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Where the labels of latents come from, if they are wanted. */
final class LabelsMixin {

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(
      names = "--labels",
      description =
          "Show what Neuronpedia says that latents stand for, where the SAE is there; fetched once"
              + " and kept.")
  private boolean wanted;

  @Option(
      names = "--labels-file",
      paramLabel = "FILE",
      description =
          "Show labels of your own: CSV with the columns latent and label, or JSON as {\"7\":"
              + " \"text\"}.")
  private Path file;

  /** The file of the user's own labels, if one was named. */
  Optional<Path> file() {
    return Optional.ofNullable(file);
  }

  /** Whether labels of Neuronpedia are wanted. */
  boolean isNeuronpediaWanted() {
    return wanted;
  }

  /** Opens the labels of the SAE that the user named. */
  Labels open(LoadMixin load, Output output) throws IOException {
    if (file != null) {
      if (wanted) {
        throw new ParameterException(
            command.commandLine(), "expected either --labels or --labels-file, got both");
      }
      return Labels.load(file);
    }
    return wanted ? ofNeuronpedia(load.entry(), load, output) : Labels.none();
  }

  /** Opens the labels of one SAE of several, for which one file of labels cannot do. */
  Labels open(SaeEntry entry, LoadMixin load, Output output) throws IOException {
    return wanted ? ofNeuronpedia(Optional.of(entry), load, output) : Labels.none();
  }

  /** Without any that can be had, a note says why, and nothing is shown. */
  private static Labels ofNeuronpedia(Optional<SaeEntry> entry, LoadMixin load, Output output)
      throws IOException {
    Optional<String> id = entry.flatMap(SaeEntry::neuronpediaId);
    if (id.isEmpty()) {
      output.note(
          "no labels: this SAE is not known to be on Neuronpedia; --labels-file reads yours");
      return Labels.none();
    }
    try {
      LabelOptions options = LabelOptions.defaults();
      return Labels.neuronpedia(id.get(), options.withOffline(load.isOffline()));
    } catch (LabelException e) {
      output.note("no labels: " + e.getMessage());
      return Labels.none();
    }
  }
}
