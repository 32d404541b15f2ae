package io.matryoshka.sae.internal.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.lm.GenerateOptions;
import io.matryoshka.sae.lm.Generation;
import io.matryoshka.sae.lm.Intervention;
import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.lm.Tokens;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Continues texts, with and without latents changed. */
@Command(
    name = "generate",
    description =
        "Continues texts by a language model. With an SAE and --steer, --ablate, --scale or --splice,"
            + " prints the changed continuation beside the clean one.")
final class GenerateCommand implements Callable<Integer> {

  @Spec private CommandSpec command;

  @Mixin private LoadMixin load;

  @Mixin private ModelMixin model;

  @Mixin private TextMixin text;

  @Mixin private InterventionMixin interventions;

  @Option(
      names = "--max-new-tokens",
      paramLabel = "N",
      defaultValue = "40",
      description = "Tokens to generate at most; default: ${DEFAULT-VALUE}.")
  private int maxNewTokens;

  @Option(
      names = "--greedy",
      description = "Take the most likely token each time; the default without --temperature.")
  private boolean greedy;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      description = "Draw tokens by their probability, at this temperature.")
  private Double temperature;

  @Option(
      names = "--top-k",
      paramLabel = "K",
      defaultValue = "0",
      description = "Draw from the K most likely tokens only.")
  private int topK;

  @Option(
      names = "--top-p",
      paramLabel = "P",
      defaultValue = "1",
      description = "Draw from the most likely tokens that reach this sum of probabilities.")
  private double topP;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "0",
      description = "Seed of the draws; default: ${DEFAULT-VALUE}.")
  private long seed;

  @Option(
      names = "--stop",
      paramLabel = "TEXT",
      description = "End before this text; may be given several times.")
  private List<String> stops = new ArrayList<>();

  @Option(names = "--ignore-end", description = "Go on after a token that ends the text.")
  private boolean ignoreEnd;

  @Mixin private Output output;

  @Override
  public Integer call() throws IOException {
    if (greedy && temperature != null) {
      throw usage("expected either --greedy or --temperature, got both");
    }
    if (maxNewTokens < 1) {
      throw usage("--max-new-tokens: expected at least 1, got " + maxNewTokens);
    }
    if (!load.isNamed() && !model.isGiven()) {
      throw usage("expected RELEASE and SAE_ID, or a language model with --model, got none");
    }
    if (!load.isNamed() && interventions.isGiven()) {
      throw usage(
          "--steer, --ablate, --scale and --splice need RELEASE and SAE_ID, or --dir FOLDER");
    }
    if (!load.isNamed()) {
      load.requireNoOptionsOfSae();
      try (LanguageModel opened = load.openModel(model, output)) {
        print(opened, Optional.empty());
      }
      return ExitCode.OK.code();
    }
    try (SAE sae = load.open(output);
        LanguageModel opened = load.openModel(sae, model, output)) {
      print(opened, Optional.of(sae));
    }
    return ExitCode.OK.code();
  }

  private GenerateOptions options() {
    GenerateOptions options =
        temperature == null
            ? GenerateOptions.greedy(maxNewTokens)
            : GenerateOptions.sampling(maxNewTokens, temperature, seed);
    return options.topK(topK).topP(topP).stopTexts(stops).stopAtEnd(!ignoreEnd);
  }

  private void print(LanguageModel opened, Optional<SAE> sae) throws IOException {
    List<Intervention> changes = sae.map(interventions::of).orElse(List.of());
    List<Tokens> prompts = text.read(opened, sae);
    interventions.requireReached(opened, changes, prompts, maxNewTokens);
    List<Integer> newTokens = new ArrayList<>();
    ObjectNode result = Output.object();
    ArrayNode array = result.putArray("continuations");
    for (Tokens prompt : prompts) {
      Generation clean = opened.generate(prompt, options());
      ObjectNode node = array.addObject();
      ids(node.putArray("prompt_ids"), prompt);
      put(node, "", prompt, clean);
      line("clean", clean);
      if (!changes.isEmpty()) {
        Generation changed =
            opened.generate(prompt, options(), changes.toArray(Intervention[]::new));
        newTokens.add(changed.tokens().size());
        put(node, "clean_", prompt, clean);
        put(node, name() + "_", prompt, changed);
        line(name(), changed);
      }
    }
    interventions
        .reach(opened, changes)
        .flatMap(reach -> reach.note(prompts, newTokens))
        .ifPresent(output::note);
    if (output.isJson()) {
      output.json(result);
    }
  }

  private String name() {
    return interventions.hasSteers() ? "steered" : "changed";
  }

  /** Ids are those of the whole text, as transformers gives them; new_ids those of the answer. */
  private static void put(ObjectNode node, String prefix, Tokens prompt, Generation generation) {
    ArrayNode all = node.putArray(prefix + "ids");
    ids(all, prompt);
    ids(all, generation.tokens());
    ids(node.putArray(prefix + "new_ids"), generation.tokens());
    if (!generation.text().isEmpty()) {
      node.put(prefix + "text", generation.text());
    }
    node.put(prefix + "end", generation.end().name().toLowerCase(Locale.ROOT));
  }

  private static void ids(ArrayNode array, Tokens tokens) {
    for (int id : tokens.ids()) {
      array.add(id);
    }
  }

  private void line(String name, Generation generation) {
    if (!output.isJson()) {
      String said =
          generation.text().isEmpty() ? generation.tokens().toString() : generation.text();
      output.line("%-8s %s".formatted(name, said.replace("\n", "\\n")));
    }
  }

  private ParameterException usage(String message) {
    return new ParameterException(command.commandLine(), message);
  }
}
