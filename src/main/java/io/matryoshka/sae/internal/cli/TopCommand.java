package io.matryoshka.sae.internal.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.labels.Labels;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.RowRules;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Prints the strongest latents of each token. */
@Command(
    name = "top",
    description = {
      "Prints the strongest latents of each token, by level.",
      "With --layers and text: those of the SAEs of several layers, from one pass of the language"
          + " model."
    },
    footer = {
      "",
      "Example:",
      "  matryoshka-sae top all-minilm-l6-v2-matryoshka-demo -i acts.npy --rows 0-9"
    })
final class TopCommand implements Callable<Integer> {

  @Mixin private LoadMixin load;

  @Mixin private LayersMixin layers;

  @Mixin private ActivationsMixin activations;

  @Mixin private TokensMixin tokenTexts;

  @Mixin private RowsMixin rowOptions;

  @Option(
      names = "--rows",
      paramLabel = "FIRST-LAST",
      defaultValue = "0-19",
      converter = IntRange.Converter.class,
      description = "Rows to print, from 0; default: ${DEFAULT-VALUE}.")
  private IntRange rows;

  @Option(
      names = {"-n", "--count"},
      paramLabel = "N",
      defaultValue = "3",
      description = "Latents to print for each level; default: ${DEFAULT-VALUE}.")
  private int count;

  @Mixin private LabelsMixin labelOptions;

  @Mixin private Output output;

  @Override
  public Integer call() throws IOException {
    if (count < 1) {
      throw new IllegalArgumentException("--count: expected at least 1, got " + count);
    }
    activations.find();
    RowRules rules = rowOptions.rules();
    if (layers.isGiven()) {
      topOfLayers(rules);
      return ExitCode.OK.code();
    }
    try (Labels labels = labelOptions.open(load, output);
        SAE sae = load.open(output)) {
      ActivationSource source = activations.open(sae, load, output);
      TopRows top = new TopRows(sae, rows, rules);
      TokenLatents latents =
          top.read(source, tokenTexts.read(source, activations.ofText()), count, output);
      top.hints(load.trainingK(sae)).forEach(output::note);
      if (output.isJson()) {
        output.json(json(latents, labels));
      } else {
        print(latents, labels);
      }
    }
    return ExitCode.OK.code();
  }

  private void topOfLayers(RowRules rules) throws IOException {
    layers.requireNone("--labels-file", labelOptions.file().isEmpty());
    LayerSaes saes = activations.ofLayers(load.entries(layers, output), load, output);
    TextActivations ofText = saes.activations(false);
    ObjectNode result = Output.object();
    ArrayNode array = result.putArray("saes");
    saes.each(
        ofText,
        (entry, sae, source) -> {
          try (Labels labels = labelOptions.open(entry, load, output)) {
            TopRows top = new TopRows(sae, rows, rules);
            TokenLatents latents =
                top.read(source, tokenTexts.read(source, Optional.of(ofText)), count, output);
            top.hints(LoadMixin.trainingK(Optional.of(entry), sae))
                .forEach(hint -> output.note(entry.saeId() + ": " + hint));
            if (output.isJson()) {
              array.add(json(latents, labels).put("sae_id", entry.saeId()));
            } else {
              output.line(LayerSaes.name(entry));
              print(latents, labels);
              output.line("");
            }
          }
        });
    if (output.isJson()) {
      output.json(result);
    }
  }

  private static ObjectNode json(TokenLatents latents, Labels labels) {
    ObjectNode result = Output.object();
    ArrayNode array = result.putArray("rows");
    latents.json(labels).forEach(array::add);
    return result;
  }

  private void print(TokenLatents latents, Labels labels) {
    output.table(latents.table(output.hasColours()));
    latents
        .labels(labels)
        .ifPresent(
            table -> {
              output.line("");
              output.table(table);
            });
  }
}
