package io.matryoshka.sae.internal.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.EncodeOptions;
import io.matryoshka.sae.stream.EncodeResult;
import io.matryoshka.sae.stream.EncodeRun;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Turns model activations into sparse latents. */
@Command(
    name = "encode",
    description = {
      "Encodes model activations to sparse latents.",
      "A folder gets shards and an index.json; a run that was stopped resumes with the same command.",
      "With --layers and text: the SAEs of several layers from one pass of the language model, a"
          + " folder for each."
    },
    footer = {"", "Example:", "  matryoshka-sae encode --dir my-sae -i activations/ -o latents/"})
final class EncodeCommand implements Callable<Integer> {

  @Spec private CommandSpec command;

  @Mixin private LoadMixin load;

  @Mixin private LayersMixin layers;

  @Mixin private ActivationsMixin activations;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "PATH",
      required = true,
      description =
          "One file if the name ends in .safetensors, replaced when all is written; else a folder.")
  private Path target;

  @Mixin private EncodeMixin how;

  @Mixin private RowsMixin rows;

  @Mixin private Output output;

  @Override
  @SuppressWarnings("try") // The hint does its work by being open.
  public Integer call() throws IOException {
    FileOrFolder.requireWritable("sparse latents", target);
    activations.find();
    if (layers.isGiven()) {
      encodeLayers();
      return ExitCode.OK.code();
    }
    EncodeOptions basis = options().saeName(load.name());
    try (SAE sae = load.open(output)) {
      ActivationSource source = activations.open(sae, load, output);
      try (Progress bar = output.progress("encode", "tokens", source.rows());
          ResumeHint hint = ResumeHint.whileOpen(output, howToGoOn())) {
        EncodeOptions options = basis.progress((done, rows) -> bar.stepTo(done));
        EncodeResult result =
            FileOrFolder.isFile(target)
                ? EncodeRun.toFile(sae, source, target, options)
                : EncodeRun.toFolder(sae, source, target, options);
        if (output.isJson()) {
          output.json(EncodeText.json(target, result));
        } else {
          EncodeText.print(target, result, output);
        }
      }
    }
    return ExitCode.OK.code();
  }

  private void encodeLayers() throws IOException {
    if (FileOrFolder.isFile(target)) {
      throw new ParameterException(
          command.commandLine(),
          "--layers writes a folder for each SAE; give --output the name of a folder, got '%s'"
              .formatted(target));
    }
    LayerSaes saes = activations.ofLayers(load.entries(layers, output), load, output);
    ObjectNode json = Output.object();
    ArrayNode results = json.putArray("saes");
    new LayersEncoding(saes, output)
        .run(
            target,
            options(),
            (entry, folder, result) -> {
              results.add(EncodeText.json(folder, result).put("sae_id", entry.saeId()));
              if (!output.isJson()) {
                EncodeText.print(folder, result, output);
              }
            });
    if (output.isJson()) {
      output.json(json);
    }
  }

  private String howToGoOn() {
    return FileOrFolder.isFile(target)
        ? "nothing is written; with a folder as --output a run goes on where it was stopped"
        : "run the same command to go on from the files finished in " + target;
  }

  private EncodeOptions options() throws IOException {
    return how.options(rows.rules());
  }
}
