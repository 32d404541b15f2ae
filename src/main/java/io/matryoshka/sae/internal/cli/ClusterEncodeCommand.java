package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.internal.spark.job.SaeJobs;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.EncodeOptions;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Turns model activations into sparse latents, on a cluster. */
@Command(
    name = "encode",
    description = {
      "Encodes model activations to sparse latents.",
      "A folder gets shards and an index.json; a run that was stopped resumes with the same command."
    })
final class ClusterEncodeCommand implements Callable<Integer> {

  @Spec private CommandSpec command;

  @Mixin private LoadMixin load;

  @Mixin private ClusterActivationsMixin activations;

  @Mixin private ClusterFolderMixin folder;

  @Mixin private EncodeMixin how;

  @Option(
      names = "--parquet",
      description = "Write Parquet files of row, latents and values instead, to a new folder.")
  private boolean parquet;

  @Mixin private RowsMixin rows;

  @Mixin private Output output;

  @Override
  public Integer call() throws IOException {
    activations.check();
    folder.check();
    if (parquet && how.isRestart()) {
      throw usage("--restart: Parquet files are written to a new folder; leave it out");
    }
    LoadSettings named = load.settings();
    ClusterSession session = ClusterSession.start();
    session.requireApart(
        activations.inputs(),
        session.foldersOf(named, activations.model()),
        folder.target(),
        activations.work());
    EncodeOptions options = how.options(rows.rules(session::file)).saeName(load.name());
    SaeJobs jobs = session.sae(named, load.hub());
    ActivationSource source = activations.open(session, jobs, load, output, false);
    if (parquet) {
      jobs.encodeToParquet(source, folder.target(), options);
      printParquet(source.rows());
    } else {
      var result = jobs.encode(source, folder.target(), options);
      if (output.isJson()) {
        output.json(EncodeText.json(folder.target(), result));
      } else {
        EncodeText.print(folder.target(), result, output);
      }
    }
    activations.delete();
    return ExitCode.OK.code();
  }

  private void printParquet(long written) {
    if (output.isJson()) {
      output.json(Output.object().put("output", folder.target()).put("rows", written));
    } else {
      output.line("wrote %s: %s".formatted(folder.target(), Numbers.count(written, "row")));
    }
  }

  private ParameterException usage(String message) {
    return new ParameterException(command.commandLine(), message);
  }
}
