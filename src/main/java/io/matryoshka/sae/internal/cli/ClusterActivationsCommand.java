package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.internal.spark.job.ExportJob;
import io.matryoshka.sae.internal.spark.job.TextJobs;
import io.matryoshka.sae.internal.spark.job.TextSettings;
import io.matryoshka.sae.lm.Tokens;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Runs texts through a language model and keeps activations, on a cluster. */
@Command(
    name = "activations",
    description = {
      "Runs texts through a language model and writes activations for later: one tensor for each hook"
          + " point, named by it, and row_offsets.",
      "A folder gets several files; a run that was stopped resumes with the same command."
    })
final class ClusterActivationsCommand implements Callable<Integer> {

  @Spec private CommandSpec command;

  @Mixin private ModelMixin model;

  @Mixin private TextMixin text;

  @Mixin private HooksMixin hooks;

  @Mixin private ClusterFolderMixin folder;

  @Mixin private TokensPerFileMixin files;

  @Mixin private HubMixin hub;

  @Mixin private Output output;

  @Override
  public Integer call() throws IOException {
    if (!model.isGiven()) {
      throw usage("expected a language model with --model, got none");
    }
    if (!text.isGiven()) {
      throw usage("expected one of --text, --text-file and --ids, got none");
    }
    hooks.check();
    folder.check();
    TextSettings settings =
        new TextSettings(folder.target(), hooks.isBfloat16(), files.tokensPerFile(), true, false);
    TextJobs jobs = ClusterSession.start().model(model, hub);
    List<Tokens> texts = text.read(jobs.model(), Optional.empty());
    report(texts.size(), jobs.activations(texts, hooks.names(), settings));
    return ExitCode.OK.code();
  }

  private void report(int texts, ExportJob.Written written) {
    if (output.isJson()) {
      output.json(
          Output.object()
              .put("output", folder.target())
              .put("texts", texts)
              .put("rows", written.rows())
              .put("files", written.files())
              .put("resumed_files", written.resumedFiles()));
      return;
    }
    output.line("wrote %s: %d rows of %d texts".formatted(folder.target(), written.rows(), texts));
    if (written.resumedFiles() > 0) {
      output.line(
          "%d of %s were there from an earlier run"
              .formatted(written.resumedFiles(), Numbers.count(written.files(), "file")));
    }
  }

  private ParameterException usage(String message) {
    return new ParameterException(command.commandLine(), message);
  }
}
