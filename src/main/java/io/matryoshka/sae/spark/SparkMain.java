package io.matryoshka.sae.spark;

import io.matryoshka.sae.eval.Evaluation;
import io.matryoshka.sae.eval.EvaluationOptions;
import io.matryoshka.sae.eval.EvaluationReport;
import io.matryoshka.sae.eval.EvaluationRunOptions;
import io.matryoshka.sae.explore.Exploration;
import io.matryoshka.sae.explore.ExplorationReport;
import io.matryoshka.sae.explore.ExplorerOptions;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.EncodeOptions;
import io.matryoshka.sae.stream.EncodeResult;
import io.matryoshka.sae.stream.SourceOptions;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * The command of {@code spark-submit}: activations, encode, evaluate and explore, with the options
 * of the command line and URIs in place of files.
 */
@Command(
    name = "SparkMain",
    mixinStandardHelpOptions = true,
    description = "Runs a Matryoshka SAE over activations on a Spark cluster.")
public final class SparkMain {

  private SparkMain() {}

  /**
   * Runs a command and ends the driver with its exit code: 0 for a result, 1 for a failure, 2 for a
   * command that is not understood.
   *
   * @param args the command, its parameters and options
   */
  public static void main(String[] args) {
    int code = run(args);
    if (code != 0) {
      System.exit(code);
    }
  }

  /** Runs a command and returns its exit code. */
  static int run(String... args) {
    return new CommandLine(new SparkMain())
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setExecutionExceptionHandler(
            (failure, command, parsed) -> {
              command.getErr().println("error: " + failure.getMessage());
              command.getErr().flush();
              return CommandLine.ExitCode.SOFTWARE;
            })
        .execute(args);
  }

  @Command(name = "encode", description = "Encodes activations to sparse latents.")
  void encode(
      @Mixin RunArguments run,
      @Option(
              names = {"-o", "--output"},
              paramLabel = "URI",
              required = true,
              description = "Folder of the files and their index.")
          String target,
      @Option(names = "--batch", defaultValue = "1024", description = "Rows encoded together.")
          int batchRows,
      @Option(
              names = "--rows-per-shard",
              defaultValue = "65536",
              description = "Rows in each file of the folder.")
          int rowsPerShard,
      @Option(names = "--restart", description = "Delete the files of an earlier run.")
          boolean restart,
      @Option(
              names = "--parquet",
              description = "Write Parquet files of row, latents and values instead.")
          boolean parquet)
      throws IOException {
    SparkRuns runs = run.start();
    ActivationSource source = run.open(runs);
    EncodeOptions basis =
        EncodeOptions.defaults()
            .saeName(run.name())
            .batchRows(batchRows)
            .rowsPerShard(rowsPerShard)
            .restart(restart)
            .rows(run.rows());
    EncodeOptions options = run.selection().map(basis::selection).orElse(basis);
    if (parquet) {
      runs.encodeToParquet(source, target, options);
      System.out.println("wrote %s: %d rows".formatted(target, source.rows()));
      return;
    }
    EncodeResult result = runs.encode(source, target, options);
    System.out.println(
        "wrote %s: %d rows, %d active latents, %d files, %d rows were there from an earlier run"
            .formatted(
                target, result.rows(), result.entries(), result.shards(), result.resumedRows()));
  }

  @Command(
      name = "activations",
      description = "Runs texts through a language model and writes activations.")
  void activations(
      @Mixin TextArguments text,
      @Option(
              names = "--hooks",
              paramLabel = "NAME,NAME,...",
              split = ",",
              required = true,
              hideParamSyntax = true,
              description = "Where to read, such as blocks.5.hook_resid_post.")
          List<String> hooks,
      @Option(
              names = {"-o", "--output"},
              paramLabel = "URI",
              required = true,
              description = "Folder of the files and their index.")
          String target,
      @Option(
              names = "--dtype",
              paramLabel = "TYPE",
              defaultValue = "float32",
              description = "float32 (default) or bfloat16, which halves the files.")
          String dtype,
      @Option(
              names = "--tokens-per-file",
              defaultValue = "65536",
              description = "Tokens in each file of the folder.")
          int tokensPerFile)
      throws IOException {
    if (!List.of("float32", "bfloat16").contains(dtype)) {
      throw new IllegalArgumentException(
          "--dtype: expected float32 or bfloat16, got '%s'".formatted(dtype));
    }
    TextRunOptions options =
        TextRunOptions.defaults().bfloat16(dtype.equals("bfloat16")).tokensPerFile(tokensPerFile);
    SparkTextRuns runs = text.start();
    ActivationsResult result = runs.activations(text.read(runs.model()), hooks, target, options);
    System.out.println(
        "wrote %s: %d rows, %d files, %d files were there from an earlier run"
            .formatted(target, result.rows(), result.files(), result.resumedFiles()));
  }

  @Command(name = "evaluate", description = "Measures how well an SAE reconstructs activations.")
  void evaluate(
      @Mixin RunArguments run,
      @Option(
              names = "--target",
              paramLabel = "URI",
              description = "What a transcoder should give, row for row.")
          List<String> target,
      @Option(names = "--batch", defaultValue = "2048", description = "Rows of a batch.")
          int batchRows,
      @Option(names = "--html", paramLabel = "URI", description = "Write a page.") String html,
      @Option(names = "--csv", paramLabel = "URI", description = "Write a table of widths.")
          String csv,
      @Option(names = "--latents-csv", paramLabel = "URI", description = "Write all latents.")
          String latentsCsv)
      throws IOException {
    SparkRuns runs = run.start();
    ActivationSource source = run.open(runs);
    EvaluationOptions batches = EvaluationOptions.defaults().batchRows(batchRows);
    EvaluationRunOptions options =
        EvaluationRunOptions.defaults()
            .evaluation(run.selection().map(batches::selection).orElse(batches))
            .rows(run.rows());
    Evaluation found =
        target == null
            ? runs.evaluate(source, options)
            : runs.evaluate(
                source,
                run.open(runs, target, SourceOptions.defaults().dIn(runs.sae().dOut())),
                options);
    EvaluationReport report =
        new EvaluationReport(run.name(), found, Optional.empty(), runs.sae().logSparsity());
    run.write(html, report.html());
    run.write(csv, report.widthsCsv());
    run.write(latentsCsv, report.latentsCsv());
    System.out.println(report.json());
  }

  @Command(name = "explore", description = "Shows what single latents do.")
  void explore(
      @Mixin RunArguments run,
      @Option(names = "--latent", paramLabel = "N", description = "Latents to describe.")
          List<Integer> latents,
      @Option(names = "--contexts", defaultValue = "8", description = "Contexts of each latent.")
          int contexts,
      @Option(names = "--reach", defaultValue = "8", description = "Tokens on each side.")
          int reach,
      @Option(names = "--html", paramLabel = "URI", description = "Write a page.") String html,
      @Option(names = "--csv", paramLabel = "URI", description = "Write a table.") String csv)
      throws IOException {
    if (run.selection().isPresent()) {
      throw new IllegalArgumentException(
          "explore: the SAE's own rule selects latents; leave" + " --top-k and --batch-top-k out");
    }
    SparkRuns runs = run.start();
    ExplorerOptions options =
        ExplorerOptions.defaults()
            .latents(latents == null ? new ArrayList<>() : latents)
            .contexts(contexts, reach)
            .rows(run.rows());
    Exploration found = runs.explore(run.open(runs), options);
    ExplorationReport report =
        new ExplorationReport(
            run.name(), Optional.empty(), found, Optional.empty(), Optional.empty());
    run.write(html, report.html());
    run.write(csv, report.csv());
    System.out.println(report.json());
  }
}
