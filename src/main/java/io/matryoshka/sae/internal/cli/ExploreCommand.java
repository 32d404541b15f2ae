package io.matryoshka.sae.internal.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.explore.Comparison;
import io.matryoshka.sae.explore.Exploration;
import io.matryoshka.sae.explore.ExplorationReport;
import io.matryoshka.sae.explore.Explorer;
import io.matryoshka.sae.explore.Tokens;
import io.matryoshka.sae.internal.io.AtomicFile;
import io.matryoshka.sae.labels.Labels;
import io.matryoshka.sae.registry.SaeEntry;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.RowRules;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Looks at what single latents do. */
@Command(
    name = "explore",
    description = {
      "Shows what latents do on your activations: strongest tokens in context, nearest latents,"
          + " parents and children, absorption, and differences from another side. The bundled"
          + " demo brings its own activations and tokens.",
      "With --layers and text: the SAEs of several layers, from one pass of the language model."
    },
    footer = {
      "",
      "Example:",
      "  matryoshka-sae explore all-minilm-l6-v2-matryoshka-demo --latent 7,30-32"
    })
final class ExploreCommand implements Callable<Integer> {

  @Mixin private LoadMixin load;

  @Mixin private LayersMixin layers;

  @Mixin private ActivationsOrDemoMixin activations;

  @Mixin private TokensMixin tokenTexts;

  @Mixin private RowsMixin rows;

  @Mixin private ExplorerMixin what;

  @Mixin private AgainstMixin against;

  @Option(
      names = "--html",
      paramLabel = "FILE",
      description =
          "Write a report: one page that opens without a network. With --layers a folder, which gets"
              + " a page for each SAE.")
  private Path html;

  @Option(
      names = "--csv",
      paramLabel = "FILE",
      description =
          "Write a table of all latents as CSV. With --layers a folder, which gets a file for each"
              + " SAE.")
  private Path csv;

  @Mixin private LabelsMixin labelOptions;

  @Mixin private Output output;

  @Override
  public Integer call() throws IOException {
    if (layers.isGiven()) {
      exploreLayers();
      return ExitCode.OK.code();
    }
    Output.requireWritable(html, csv);
    against.find();
    Optional<SaeEntry> entry = load.entry();
    boolean demo = activations.isDemo(entry);
    try (Labels labels = labelOptions.open(load, output);
        SAE sae = load.open(output);
        BundledDemo bundled = BundledDemo.open();
        StagedProgress progress = new StagedProgress(output)) {
      ActivationSource source = demo ? bundled.activations() : activations.open(sae, load, output);
      Optional<Tokens> tokens =
          demo && !tokenTexts.isGiven()
              ? Optional.of(bundled.tokens())
              : tokenTexts.read(source, activations.ofText());
      RowRules rules = activations.rules(rows.rules(), sae, output);
      Exploration found = new Explorer(sae, progress).explore(source, what.options(rules));
      Optional<Comparison> comparison =
          against.compare(
              new AgainstMixin.Side(sae, source, found.statistics()),
              rows.rules(),
              activations,
              load.options(output),
              progress);
      ExplorationReport report =
          new ExplorationReport(load.name(), entry, found, tokens, comparison, labels);
      write(report, Optional.ofNullable(html), Optional.ofNullable(csv));
      if (output.isJson()) {
        output.json(Output.tree(report.json()));
      } else {
        print(report);
      }
    }
    return ExitCode.OK.code();
  }

  private void exploreLayers() throws IOException {
    activations.requireNotBoth();
    layers.requireNone("--labels-file", labelOptions.file().isEmpty());
    layers.requireNone("--against", !against.isGiven());
    requireFolders();
    LayerSaes saes = activations.ofLayers(load.entries(layers, output), load, output);
    TextActivations ofText = saes.activations(activations.skipsSpecial());
    ObjectNode result = Output.object();
    ArrayNode array = result.putArray("saes");
    saes.each(
        ofText,
        (entry, sae, source) -> {
          try (Labels labels = labelOptions.open(entry, load, output);
              StagedProgress progress = new StagedProgress(output)) {
            RowRules rules = activations.rules(rows.rules(), sae, Optional.of(ofText), output);
            Exploration found = new Explorer(sae, progress).explore(source, what.options(rules));
            ExplorationReport report =
                new ExplorationReport(
                    LayerSaes.name(entry),
                    Optional.of(entry),
                    found,
                    tokenTexts.read(source, Optional.of(ofText)),
                    Optional.empty(),
                    labels);
            write(report, placeIn(html, entry, ".html"), placeIn(csv, entry, ".csv"));
            if (output.isJson()) {
              ObjectNode node = Output.object().put("sae_id", entry.saeId());
              array.add(node.setAll((ObjectNode) Output.tree(report.json())));
            } else {
              output.line(LayerSaes.name(entry));
              print(report);
              output.line("");
            }
          }
        });
    if (output.isJson()) {
      output.json(result);
    }
  }

  private void requireFolders() throws IOException {
    for (Path folder : Stream.of(html, csv).filter(Objects::nonNull).toList()) {
      FileOrFolder.requireFolderOf(folder);
      AtomicFile.requireWritableFolder(folder);
    }
  }

  private static Optional<Path> placeIn(Path folder, SaeEntry entry, String ending)
      throws IOException {
    if (folder == null) {
      return Optional.empty();
    }
    Path place = LayerSaes.place(folder, entry, ending);
    Files.createDirectories(place.toAbsolutePath().getParent());
    return Optional.of(place);
  }

  private static void write(ExplorationReport report, Optional<Path> html, Optional<Path> csv)
      throws IOException {
    if (html.isPresent()) {
      report.writeHtml(html.get());
    }
    if (csv.isPresent()) {
      AtomicFile.write(csv.get(), report.csv());
    }
  }

  private void print(ExplorationReport report) {
    new ExploreText(report, output).print(what.namesLatents());
  }
}
