package io.matryoshka.sae.internal.serve.view;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.lm.TokenLosses;
import io.matryoshka.sae.lm.Tokens;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** Two SAEs, prefixes or layers on the same text. */
final class ComparisonView {

  private ComparisonView() {}

  /** What stands on one side. */
  private record Side(OpenSae open, int width) {

    static Side read(Fields fields, Workspace workspace) {
      OpenSae open = workspace.find(fields.text("sae"));
      int all = open.sae().dSae();
      Side side = new Side(open, fields.number("width", all, 1, all));
      fields.requireNoOther();
      return side;
    }

    /** A view of the SAE's first latents; to be closed. */
    SAE view() {
      return open.sae().prefix(width);
    }
  }

  static ObjectNode of(Workspace workspace, Fields fields, Cancellation cancellation)
      throws IOException {
    String text = fields.text("text");
    Side left = Side.read(fields.object("left"), workspace);
    Side right = Side.read(fields.object("right"), workspace);
    fields.requireNoOther();
    if (left.open().model() != right.open().model()) {
      throw new ViewException(
          ViewException.Kind.DOES_NOT_FIT,
          "%s and %s read different language models, so they have no text in common"
              .formatted(left.open().name().key(), right.open().name().key()));
    }
    Tokens tokens = left.open().tokens(text, workspace.limits());
    try (SAE one = left.view();
        SAE other = right.view()) {
      Reading reading = Reading.of(left.open(), one, tokens);
      cancellation.check();
      Reading against = Reading.of(right.open(), other, tokens);
      ObjectNode node = Json.object();
      reading.putTokens(node);
      cancellation.check();
      put(node.putObject("left"), left, reading);
      cancellation.check();
      put(node.putObject("right"), right, against);
      if (left.open().model().config().isEncoder()) {
        node.putNull("clean");
      } else {
        List<TokenLosses> clean = left.open().model().losses(tokens, List.of());
        LossView.put(node.putObject("clean"), clean.get(0));
      }
      node.set("matches", ActiveMatches.of(reading, against));
      SameCalls.put(node, java(left, right, text), Optional.empty());
      return node;
    }
  }

  private static void put(ObjectNode node, Side side, Reading reading) throws IOException {
    node.put("sae", side.open().name().key());
    reading.putWidth(node, reading.sae().widths().size() - 1);
    reading.putLatents(node);
    if (side.open().sae().isTranscoder() || side.open().model().config().isEncoder()) {
      List.of("loss", "kl", "mean_loss", "mean_kl", "recovered").forEach(node::putNull);
    } else {
      List<TokenLosses> losses = LossView.losses(side.open(), reading.sae(), reading.tokens());
      LossView.putChanged(node, losses.get(losses.size() - 1));
      LossView.putRecovered(node, losses, losses.size() - 1);
    }
    reading.putLabels(node, side.open().labels());
  }

  private static String java(Side left, Side right, String text) {
    return """
    try (SAE one = %s;
        SAE other = %s;
        SAE left = one.prefix(%d);
        SAE right = other.prefix(%d);
        LanguageModel model = %s) {
      Tokens tokens = model.tokens(%s);
      for (SAE sae : List.of(left, right)) {
        try (Trace trace = model.trace(tokens, HookPoint.of(sae))) {
          NDArray x = trace.at(HookPoint.of(sae));
          SparseLatents latents = sae.encodeSparse(x);
          NDArray reconstruction = sae.decode(latents, x.getManager());
        }
        System.out.println(new SpliceLossRun(model, sae).run(List.of(tokens)));
      }
    }"""
        .formatted(
            left.open().name().java(),
            right.open().name().java(),
            left.width(),
            right.width(),
            left.open().name().javaModel().replace("(sae)", "(one)"),
            SameCalls.literal(text));
  }
}
