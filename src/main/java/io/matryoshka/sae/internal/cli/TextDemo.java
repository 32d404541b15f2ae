package io.matryoshka.sae.internal.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.Levels;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.labels.Labels;
import io.matryoshka.sae.lm.GenerateOptions;
import io.matryoshka.sae.lm.HookPoint;
import io.matryoshka.sae.lm.Intervention;
import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.lm.SpliceLoss;
import io.matryoshka.sae.lm.SpliceLossRun;
import io.matryoshka.sae.lm.TokenLosses;
import io.matryoshka.sae.lm.Tokens;
import io.matryoshka.sae.lm.Trace;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;

/** The part of the demo that begins with a sentence: a language model, and an SAE in it. */
final class TextDemo {

  /** A held-out text of the model's training, from WordNet. */
  static final String SENTENCE =
      "building: the occupants of a building. The entire building complained about the noise.";

  static final String RELEASE = "bookworm-3m-res-matryoshka-demo";
  static final String SAE_ID = "blocks.5.hook_resid_post";

  /** A latent of dialogue and the names of Jane Austen's novels, read by hand. */
  private static final int STEERED = 1;

  private static final float STRENGTH = 24;
  private static final int NEW_TOKENS = 20;

  private final String sentence;

  TextDemo(String sentence) {
    this.sentence = sentence;
  }

  /** What there is to show. */
  record Result(
      Tokens tokens,
      TokenLatents latents,
      int ablated,
      TokenLosses clean,
      TokenLosses changed,
      Tokens prompt,
      String continuation,
      String steered,
      SpliceLoss loss) {}

  Result run() throws IOException {
    try (SAE sae = SAE.fromPretrained(RELEASE, SAE_ID);
        LanguageModel model = LanguageModel.of(sae)) {
      Tokens tokens = model.tokens(sentence);
      SparseLatents latents;
      try (Trace trace = model.trace(tokens, HookPoint.of(sae))) {
        latents = sae.encodeSparse(trace.at(HookPoint.of(sae)));
      }
      int ablated = strongest(latents);
      List<Intervention> ablation = List.of(Intervention.ablate(sae, ablated).skipBos());
      List<TokenLosses> losses = model.losses(tokens, List.of(ablation));
      Tokens prompt = tokens.range(0, Math.max(1, tokens.size() / 2));
      GenerateOptions options = GenerateOptions.greedy(NEW_TOKENS).stopAtEnd(false);
      return new Result(
          tokens,
          table(sae, tokens, latents),
          ablated,
          losses.get(0),
          losses.get(1),
          prompt,
          model.generate(prompt, options).text(),
          model.generate(prompt, options, Intervention.steer(sae, STEERED, STRENGTH)).text(),
          new SpliceLossRun(model, sae).run(List.of(tokens)));
    }
  }

  private static TokenLatents table(SAE sae, Tokens tokens, SparseLatents latents) {
    TokenLatents table = new TokenLatents(Levels.of(sae), 1, true);
    for (int row = 1; row < tokens.size(); row++) {
      table.add(row, tokens.piece(row), latents, row);
    }
    return table;
  }

  /** The latent with the largest sum of activations; BOS, on which SAEs are not trained, apart. */
  private static int strongest(SparseLatents latents) {
    double[] sums = new double[latents.width()];
    for (int row = 1; row < latents.rows(); row++) {
      latents.forEach(row, (latent, activation) -> sums[latent] += activation);
    }
    int best = 0;
    for (int i = 1; i < sums.length; i++) {
      best = sums[i] > sums[best] ? i : best;
    }
    return best;
  }

  void print(Output output) throws IOException {
    Result result = run();
    output.line("");
    output.line(
        "Now from text: a language model of 2.8 million parameters (bookworm-3m) reads a sentence, and"
            + " an SAE reads its residual stream after layer 5.");
    output.line("\"" + sentence + "\"");
    output.table(result.latents().table(output.hasColours()));
    output.line("");
    output.line(
        "Without latent %d, the strongest here, the loss on the next token goes from %s to %s nats."
            .formatted(result.ablated(), mean(result.clean()), mean(result.changed())));
    output.line("");
    output.line("\"" + readable(result.prompt()) + "\" goes on:");
    output.line("  plain:   " + oneLine(result.continuation()));
    output.line(
        "  steered: %s   (latent %d, %s times its direction)"
            .formatted(oneLine(result.steered()), STEERED, Numbers.fixed(STRENGTH, 0)));
    output.line("");
    output.line("Loss with the reconstruction in place of the stream, by width:");
    TextTable table = TextTable.of("width", "loss", "recovered");
    for (SpliceLoss.WidthLoss width : result.loss().widths()) {
      table.row(
          width.prefixWidth(),
          Numbers.fixed(width.crossEntropy(), 3),
          Numbers.fixed(width.recovered(), 3));
    }
    output.table(table);
  }

  ObjectNode json() throws IOException {
    Result result = run();
    ObjectNode node = Output.object().put("release", RELEASE).put("text", sentence);
    result.latents().json(Labels.none()).forEach(node.putArray("tokens")::add);
    node.put("ablated_latent", result.ablated());
    node.put("loss_clean", meanOf(result.clean()));
    node.put("loss_ablated", meanOf(result.changed()));
    node.put("prompt", readable(result.prompt()));
    node.put("continuation", result.continuation()).put("steered", result.steered());
    ObjectNode widths = node.putObject("loss_recovered");
    result
        .loss()
        .widths()
        .forEach(width -> widths.put(Integer.toString(width.prefixWidth()), width.recovered()));
    return node;
  }

  /** The part of the sentence that some of its tokens cover. */
  private String readable(Tokens tokens) {
    int last = tokens.size() - 1;
    return sentence.substring(0, tokens.span(last).map(Tokens.Span::end).orElse(0));
  }

  private static double meanOf(TokenLosses losses) {
    return Arrays.stream(losses.crossEntropy()).average().orElse(Double.NaN);
  }

  private static String mean(TokenLosses losses) {
    return Numbers.fixed(meanOf(losses), 3);
  }

  private static String oneLine(String text) {
    return text.replace("\n", " / ").strip();
  }
}
