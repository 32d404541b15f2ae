package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.lm.ActivationExport;
import io.matryoshka.sae.lm.ExportResult;
import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.lm.Tokens;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Runs texts through a language model and keeps activations. */
@Command(
    name = "activations",
    description = {
      "Runs texts through a language model and writes activations for later: one tensor for each hook"
          + " point, named by it, and row_offsets.",
      "A folder gets several files; a run that was stopped resumes with the same command."
    })
final class ActivationsCommand implements Callable<Integer> {

  @Spec private CommandSpec command;

  @Mixin private ModelMixin model;

  @Mixin private TextMixin text;

  @Mixin private HooksMixin hooks;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "PATH",
      required = true,
      description =
          "One file if the name ends in .safetensors, replaced when all is written; else a folder.")
  private Path target;

  @Option(
      names = "--texts-per-file",
      paramLabel = "N",
      defaultValue = "512",
      description = "Texts in each file of a folder; default: ${DEFAULT-VALUE}.")
  private int textsPerFile;

  @Mixin private RegistryMixin registry;

  @Mixin private HubMixin hub;

  @Mixin private Output output;

  @Override
  public Integer call() throws IOException {
    if (!model.isGiven()) {
      throw usage("expected a language model with --model, got none");
    }
    hooks.check();
    if (textsPerFile < 1) {
      throw usage("--texts-per-file: expected at least 1, got " + textsPerFile);
    }
    FileOrFolder.requireWritable("activations", target);
    try (LanguageModel opened =
        model.open(hub.options(output.downloadBars()), registry.registry())) {
      List<Tokens> texts = text.read(opened, Optional.empty());
      long tokens = texts.stream().mapToLong(Tokens::size).sum();
      try (Progress bar = output.progress("activations", "tokens", tokens)) {
        ActivationExport export =
            new ActivationExport(opened, hooks.names(), hooks.isBfloat16(), bar::stepTo);
        report(
            texts.size(),
            FileOrFolder.isFile(target)
                ? new ExportResult(export.toFile(texts, target), 0)
                : folder(export, texts));
      }
    }
    return ExitCode.OK.code();
  }

  @SuppressWarnings("try") // The hint does its work by being open.
  private ExportResult folder(ActivationExport export, List<Tokens> texts) throws IOException {
    try (ResumeHint hint = ResumeHint.whileOpen(output, "run the same command to go on")) {
      return export.toFolder(texts, target, textsPerFile);
    }
  }

  private void report(int texts, ExportResult result) {
    if (output.isJson()) {
      output.json(
          Output.object()
              .put("output", target.toString())
              .put("texts", texts)
              .put("rows", result.rows())
              .put("resumed_rows", result.resumedRows()));
      return;
    }
    output.line("wrote %s: %d rows of %d texts".formatted(target, result.rows(), texts));
    if (result.resumedRows() > 0) {
      output.line(result.resumedRows() + " of the rows were there from an earlier run");
    }
  }

  private ParameterException usage(String message) {
    return new ParameterException(command.commandLine(), message);
  }
}
