package io.matryoshka.sae.internal.serve.view;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.lm.SpliceLossRun;
import io.matryoshka.sae.lm.TokenLosses;
import io.matryoshka.sae.lm.Tokens;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/** What the reconstruction at each prefix width costs the model on a text. */
final class LossView {

  private static final TokenLosses NONE = new TokenLosses(new double[0], new double[0]);

  private LossView() {}

  static ObjectNode of(OpenSae open, String text, Limits limits) throws IOException {
    open.requireOnePlace();
    open.requireDecoder();
    Tokens tokens = open.tokens(text, limits);
    List<TokenLosses> losses = losses(open, open.sae(), tokens);
    ObjectNode node = Json.object().put("sae", open.name().key());
    put(node.putObject("clean"), losses.get(0));
    putChanged(node.putObject("zero"), losses.get(1));
    ArrayNode widths = node.putArray("widths");
    for (int i = 0; i < open.sae().widths().size(); i++) {
      ObjectNode width = widths.addObject().put("width", open.sae().widths().get(i));
      putChanged(width, losses.get(i + 2));
      putRecovered(width, losses, i + 2);
    }
    SameCalls.put(
        node,
        java(open.name(), text),
        Optional.of(SameCalls.cli("loss", open.name(), List.of("--text", text, "--json"))));
    return node;
  }

  /** The losses of a text: clean, with activations of 0, then with each prefix width. */
  static List<TokenLosses> losses(OpenSae open, SAE sae, Tokens tokens) throws IOException {
    if (tokens.size() < 2) {
      return Collections.nCopies(sae.widths().size() + 2, NONE);
    }
    List<List<TokenLosses>> found = new ArrayList<>();
    new SpliceLossRun(open.model(), sae)
        .listener((text, losses) -> found.add(losses))
        .run(List.of(tokens));
    return found.get(0);
  }

  static void put(ObjectNode node, TokenLosses losses) {
    node.set("loss", Json.array(losses.crossEntropy()));
    Json.put(node, "mean_loss", Json.mean(losses.crossEntropy()));
  }

  static void putChanged(ObjectNode node, TokenLosses losses) {
    put(node, losses);
    node.set("kl", Json.array(losses.kl()));
    Json.put(node, "mean_kl", Json.mean(losses.kl()));
  }

  /** The share of the loss that a reconstruction keeps from being lost. */
  static void putRecovered(ObjectNode node, List<TokenLosses> losses, int index) {
    double clean = Json.mean(losses.get(0).crossEntropy());
    double zero = Json.mean(losses.get(1).crossEntropy());
    double spliced = Json.mean(losses.get(index).crossEntropy());
    Json.put(node, "recovered", (zero - spliced) / (zero - clean));
  }

  private static String java(SaeName name, String text) {
    return SameCalls.javaWithModel(
        name,
        """
        SpliceLoss loss =
            new SpliceLossRun(model, sae)
                .listener((tokens, losses) -> System.out.println(losses.get(0)))
                .run(List.of(model.tokens(%s)));
        System.out.println(loss.widths());"""
            .formatted(SameCalls.literal(text)));
  }
}
