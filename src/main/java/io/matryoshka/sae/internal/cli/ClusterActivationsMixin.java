package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.internal.spark.job.SaeJobs;
import io.matryoshka.sae.internal.spark.job.TextJobs;
import io.matryoshka.sae.internal.spark.job.TextRows;
import io.matryoshka.sae.internal.spark.job.TextSettings;
import io.matryoshka.sae.lm.Tokens;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.RowRules;
import io.matryoshka.sae.stream.SourceOptions;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options that name model activations, or texts of which a cluster makes them. */
final class ClusterActivationsMixin {

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(
      names = {"-i", "--input"},
      paramLabel = "URI",
      arity = "1..*",
      parameterConsumer = InputConsumer.class,
      description =
          "Activations: .safetensors or .npy files, folders of them, or patterns, on any file"
              + " system that all hosts see, read one after the other.")
  private List<String> inputs = new ArrayList<>();

  @Mixin private TensorMixin tensor;

  @Mixin private ModelMixin model;

  @Mixin private TextMixin text;

  @Option(
      names = "--work",
      paramLabel = "URI",
      description =
          "With text: a folder of its own that all hosts see, where the activations lie while the"
              + " command runs.")
  private String work;

  @Option(
      names = "--keep-activations",
      description = "Leave the activations in the folder of --work.")
  private boolean keep;

  @Mixin private TokensPerFileMixin files;

  private Optional<TextRows> ofText = Optional.empty();

  private List<Tokens> texts = List.of();

  /** Checks the words, before an SAE is loaded. */
  void check() {
    if (text.isGiven() == !inputs.isEmpty()) {
      throw usage(
          "expected activations with --input, or text with --text, --text-file or --ids, got "
              + (inputs.isEmpty() ? "none" : "both"));
    }
    if (text.isGiven() && work == null) {
      throw usage(
          "text needs a folder that all hosts see, for its activations: name it with --work");
    }
  }

  /** What is read; nothing where text is. */
  List<String> inputs() {
    return List.copyOf(inputs);
  }

  /** The language model that the activations of text come from. */
  ModelMixin model() {
    return model;
  }

  /** Where activations of text lie; {@code null} without text. */
  String work() {
    return work;
  }

  /** Opens the activations of an SAE, after running the language model where text was given. */
  ActivationSource open(
      ClusterSession session, SaeJobs jobs, LoadMixin load, Output output, boolean skipsSpecial)
      throws IOException {
    if (!text.isGiven()) {
      return open(jobs, inputs, SourceOptions.of(jobs.sae()));
    }
    SAE sae = jobs.sae();
    TextJobs run = session.model(model, sae, load);
    load.tell(run.model(), model, output);
    texts = text.read(run.model(), Optional.of(sae));
    TextSettings settings =
        new TextSettings(work, false, files.tokensPerFile(), keep, skipsSpecial);
    TextRows rows = run.rows(jobs, texts, settings);
    ofText = Optional.of(rows);
    return rows.open();
  }

  /** Opens other files, of which the same tensor is read. */
  ActivationSource open(SaeJobs jobs, List<String> names, SourceOptions options)
      throws IOException {
    return tensor.require(jobs.open(names, tensor.options(options)));
  }

  /** Which rows count: without those of special tokens, where text was given. */
  RowRules rules(RowRules given, boolean skipsSpecial) throws IOException {
    if (skipsSpecial && given.mask().isPresent()) {
      throw usage("expected either --mask or --skip-special-tokens, got both");
    }
    return ofText.isPresent() ? ofText.get().withoutSpecial(given) : given;
  }

  /** The pieces of the texts, each text a sequence of its own; empty for files. */
  Optional<io.matryoshka.sae.explore.Tokens> tokens() {
    return ofText.map(
        rows ->
            io.matryoshka.sae.explore.Tokens.ofSequences(
                texts.stream().map(Tokens::pieces).toList()));
  }

  /** Deletes the activations of texts, once a command has its result. */
  void delete() throws IOException {
    if (ofText.isPresent()) {
      ofText.get().deleteUnlessKept();
    }
  }

  private ParameterException usage(String message) {
    return new ParameterException(command.commandLine(), message);
  }
}
