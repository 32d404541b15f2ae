package io.matryoshka.sae.internal.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.Levels;
import io.matryoshka.sae.LoadOptions;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.eval.Evaluator;
import io.matryoshka.sae.labels.Labels;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Shows what a Matryoshka SAE is, on a small real one that is bundled. */
@Command(
    name = "demo",
    description =
        "Shows a small real SAE at work: tokens with their strongest latents at each level, and how"
            + " reconstruction improves with the width; then a sentence of yours in a small language"
            + " model, with a latent removed and with one steered. Needs no network and no GPU.",
    footer = {"", "Example:", "  matryoshka-sae demo --text \"Holmes lit his pipe\""})
final class DemoCommand implements Callable<Integer> {

  private static final int PER_LEVEL = 2;

  /** Sentences with readable latents in them; more come in the order of the file. */
  private static final List<Integer> FIRST_SHOWN = List.of(10, 18, 1);

  @Option(
      names = "--sentences",
      paramLabel = "N",
      defaultValue = "3",
      description =
          "Sentences to print; 0 for the figures alone, unless --text is given; default:"
              + " ${DEFAULT-VALUE}.")
  private int count;

  @Option(
      names = "--engine",
      paramLabel = "ENGINE",
      defaultValue = "fast",
      description = "fast (default), or reference: plain dense products.")
  private LoadOptions.Engine engine;

  @Option(
      names = "--text",
      paramLabel = "TEXT",
      defaultValue = TextDemo.SENTENCE,
      showDefaultValue = CommandLine.Help.Visibility.NEVER,
      description =
          "A sentence for the bundled language model; default: one that it was not trained on.")
  private String sentence;

  @Mixin private Output output;

  @Override
  public Integer call() throws IOException {
    DemoData data = DemoData.load();
    if (count < 0 || count > data.sentences().size()) {
      throw new IllegalArgumentException(
          "--sentences: expected 0 to %s, got %s".formatted(data.sentences().size(), count));
    }
    LoadOptions options = LoadOptions.defaults().engine(engine);
    try (SAE sae = SAE.fromPretrained(DemoData.RELEASE, DemoData.SAE_ID, options)) {
      SparseLatents latents = sae.encodeSparse(data.activations());
      Evaluator evaluator = Evaluator.of(sae);
      evaluator.add(data.activations());
      DemoFigures figures = new DemoFigures(evaluator.result(), data.references());
      if (output.isJson()) {
        json(data, sae, latents, figures);
      } else {
        text(data, sae, latents, figures);
        if (count > 0 || !sentence.equals(TextDemo.SENTENCE)) {
          new TextDemo(sentence).print(output);
        }
      }
    }
    return ExitCode.OK.code();
  }

  private void text(DemoData data, SAE sae, SparseLatents latents, DemoFigures figures) {
    output.line(
        ("""
        A Matryoshka SAE of the sentence encoder all-MiniLM-L6-v2: %d latents, each one direction
        in the model's %d numbers for a token. The first %d alone give a coarse picture; every level
        adds detail.""")
            .formatted(sae.dSae(), sae.dIn(), sae.widths().get(0)));
    Map<Integer, String> readings = new TreeMap<>();
    for (DemoData.Sentence sentence : shown(data)) {
      TokenLatents tokens = tokens(sentence, sae, latents);
      output.line("");
      output.line("\"" + sentence.text() + "\" (" + sentence.source() + ")");
      output.table(tokens.table(output.hasColours()));
      data.readings().forEach((k, v) -> readings.putAll(tokens.shows(k) ? Map.of(k, v) : Map.of()));
    }
    if (count > 0) {
      output.line("");
      output.line("L0: number of active latents. Then latent:activation, the strongest by level.");
    }
    if (!readings.isEmpty()) {
      output.line("What some stand for when strong, read by hand: " + join(readings) + ".");
    }
    output.line("");
    output.line(
        "Reconstruction of all %d tokens from the first latents, here and by SAELens (Python):"
            .formatted(latents.rows()));
    output.table(figures.table());
  }

  private void json(DemoData data, SAE sae, SparseLatents latents, DemoFigures figures)
      throws IOException {
    ObjectNode result = Output.object();
    result.put("release", DemoData.RELEASE).put("id", DemoData.SAE_ID).put("rows", latents.rows());
    ArrayNode sentences = result.putArray("sentences");
    for (DemoData.Sentence sentence : shown(data)) {
      ObjectNode node = sentences.addObject();
      node.put("source", sentence.source()).put("text", sentence.text());
      tokens(sentence, sae, latents).json(Labels.none()).forEach(node.putArray("tokens")::add);
    }
    result.set("widths", figures.json());
    result.set("language_model", new TextDemo(sentence).json());
    output.json(result);
  }

  private List<DemoData.Sentence> shown(DemoData data) {
    List<DemoData.Sentence> all = data.sentences();
    List<DemoData.Sentence> order = new ArrayList<>(FIRST_SHOWN.stream().map(all::get).toList());
    all.stream().filter(s -> !order.contains(s)).forEach(order::add);
    return order.subList(0, count);
  }

  private static TokenLatents tokens(DemoData.Sentence sentence, SAE sae, SparseLatents latents) {
    TokenLatents tokens = new TokenLatents(Levels.of(sae), PER_LEVEL, true);
    for (int t = 0; t < sentence.tokens().size(); t++) {
      int row = sentence.firstRow() + t;
      tokens.add(row, sentence.tokens().get(t), latents, row);
    }
    return tokens;
  }

  private static String join(Map<Integer, String> readings) {
    return readings.entrySet().stream()
        .map(e -> e.getKey() + " " + e.getValue())
        .collect(Collectors.joining(", "));
  }
}
