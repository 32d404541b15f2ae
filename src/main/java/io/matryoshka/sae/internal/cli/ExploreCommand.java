package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.LoadOptions;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.eval.LatentStatistics;
import io.matryoshka.sae.explore.Comparison;
import io.matryoshka.sae.explore.Exploration;
import io.matryoshka.sae.explore.ExplorationReport;
import io.matryoshka.sae.explore.Explorer;
import io.matryoshka.sae.explore.ExplorerOptions;
import io.matryoshka.sae.explore.Tokens;
import io.matryoshka.sae.internal.io.AtomicFile;
import io.matryoshka.sae.labels.Labels;
import io.matryoshka.sae.registry.SaeEntry;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.RowRules;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Looks at what single latents do. */
@Command(
    name = "explore",
    description =
        "Shows what latents do on your activations: strongest tokens in context, nearest latents,"
            + " parents and children, absorption, and differences from another side. The bundled"
            + " demo brings its own activations and tokens.",
    footer = {
      "",
      "Example:",
      "  matryoshka-sae explore all-minilm-l6-v2-matryoshka-demo --latent 7,30-32"
    })
final class ExploreCommand implements Callable<Integer> {

  @Spec private CommandSpec command;

  @Mixin private LoadMixin load;

  @Mixin private ActivationsOrDemoMixin activations;

  @Mixin private TokensMixin tokenTexts;

  @Mixin private RowsMixin rows;

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

  @Option(
      names = "--against",
      paramLabel = "RELEASE:SAE_ID",
      description = "Another SAE of the same d_in to compare with, on the same activations.")
  private String against;

  @Option(
      names = "--against-input",
      paramLabel = "FILE",
      arity = "1..*",
      parameterConsumer = InputConsumer.class,
      description = "Other activations to compare with, read by the same SAE.")
  private List<String> otherInputs = new ArrayList<>();

  @Option(
      names = "--html",
      paramLabel = "FILE",
      description = "Write a report: one page that opens without a network.")
  private Path html;

  @Option(
      names = "--csv",
      paramLabel = "FILE",
      description = "Write a table of all latents as CSV.")
  private Path csv;

  @Mixin private LabelsMixin labelOptions;

  @Mixin private Output output;

  @Override
  public Integer call() throws IOException {
    Output.requireWritable(html, csv);
    if (against != null && !otherInputs.isEmpty()) {
      throw usage("expected either --against or --against-input, got both");
    }
    Optional<SaeEntry> entry = load.entry();
    boolean demo = activations.isDemo(entry);
    List<Path> others = otherInputs.isEmpty() ? List.of() : TensorMixin.find(otherInputs);
    try (Labels labels = labelOptions.open(load, output);
        SAE sae = load.open(output);
        BundledDemo bundled = BundledDemo.open();
        StagedProgress progress = new StagedProgress(output)) {
      ActivationSource source = demo ? bundled.activations() : activations.open(sae, load, output);
      Optional<Tokens> tokens =
          demo && !tokenTexts.isGiven() ? Optional.of(bundled.tokens()) : texts(source);
      RowRules rules = rules();
      ExplorerOptions options =
          ExplorerOptions.defaults()
              .latents(latents.stream().flatMap(IntRange::stream).toList())
              .contexts(contexts, reach)
              .rows(rules);
      Exploration found = new Explorer(sae, progress).explore(source, options);
      Optional<Comparison> comparison = compare(sae, source, found, others, progress);
      write(new ExplorationReport(load.name(), entry, found, tokens, comparison, labels));
    }
    return ExitCode.OK.code();
  }

  private Optional<Tokens> texts(ActivationSource source) throws IOException {
    Optional<Tokens> given = tokenTexts.read(source);
    return given.or(() -> activations.ofText().map(TextActivations::tokens));
  }

  private RowRules rules() throws IOException {
    return activations.rules(rows.rules(), output);
  }

  private Optional<Comparison> compare(
      SAE sae,
      ActivationSource source,
      Exploration found,
      List<Path> others,
      StagedProgress progress)
      throws IOException {
    if (!others.isEmpty()) {
      // The mask is one of the first activations; what is not finite is left out of both.
      RowRules finite = RowRules.all().skipNonFinite(rows.rules().skipsNonFinite());
      LatentStatistics other =
          new Explorer(sae, progress)
              .count(activations.open(others, sae), ExplorerOptions.defaults().rows(finite));
      return Optional.of(
          Comparison.ofActivations(String.join(" ", otherInputs), found.statistics(), other));
    }
    if (against == null) {
      return Optional.empty();
    }
    int colon = against.indexOf(':');
    boolean topOfRepository = colon < 0 && against.contains("/");
    if (!topOfRepository && (colon < 1 || colon == against.length() - 1)) {
      throw usage("--against: expected RELEASE:SAE_ID, or OWNER/REPO, got '" + against + "'");
    }
    String release = topOfRepository ? against : against.substring(0, colon);
    String saeId = topOfRepository ? "" : against.substring(colon + 1);
    LoadOptions options = load.options(output);
    try (SAE other = SAE.fromPretrained(release, saeId, options)) {
      LatentStatistics counts =
          new Explorer(other, progress)
              .count(source, ExplorerOptions.defaults().rows(rows.rules().withoutWarnings()));
      return Optional.of(
          Comparison.ofSaes(
              against,
              sae,
              found.statistics(),
              other,
              counts,
              done -> progress.step("matching", done, sae.dSae() + other.dSae())));
    }
  }

  private void write(ExplorationReport report) throws IOException {
    if (html != null) {
      report.writeHtml(html);
    }
    if (csv != null) {
      AtomicFile.write(csv, report.csv());
    }
    if (output.isJson()) {
      output.json(Output.tree(report.json()));
    } else {
      new ExploreText(report, output).print(!latents.isEmpty());
    }
  }

  private ParameterException usage(String message) {
    return new ParameterException(command.commandLine(), message);
  }
}
