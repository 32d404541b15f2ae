package io.matryoshka.sae.internal.serve.view;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.lm.Tokens;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** A text: its tokens, their latents, and how well each prefix width reconstructs them. */
final class TextView {

  private TextView() {}

  static ObjectNode of(OpenSae open, String text, Limits limits) throws IOException {
    Tokens tokens = open.tokens(text, limits);
    Reading reading = Reading.of(open, open.sae(), tokens);
    ObjectNode node = Json.object().put("sae", open.name().key());
    reading.putTokens(node);
    reading.putLatents(node);
    ArrayNode shares = node.putArray("shares");
    for (int token = 0; token < tokens.size(); token++) {
      shares.add(
          Json.array(
              ReconstructionFigures.shares(
                  token, open.sae().dOut(), reading.none(), reading.nested())));
    }
    ArrayNode widths = node.putArray("widths");
    for (int i = 0; i < open.sae().widths().size(); i++) {
      reading.putWidth(widths.addObject(), i);
    }
    reading.putLabels(node, open.labels());
    SameCalls.put(node, java(open.name(), text), Optional.of(cli(open.name(), text)));
    return node;
  }

  private static String java(SaeName name, String text) {
    return SameCalls.javaWithModel(
        name,
        """
        Tokens tokens = model.tokens(%s);
        try (Trace trace = model.trace(tokens, HookPoint.of(sae))) {
          NDArray x = trace.at(HookPoint.of(sae));
          SparseLatents latents = sae.encodeSparse(x);
          NDArray[] reconstructions = sae.reconstructions(x); // one for each of sae.widths()
          for (int i = 0; i < tokens.size(); i++) {
            System.out.println(tokens.piece(i) + " " + latents.strongest(i, 10));
          }
        }"""
            .formatted(SameCalls.literal(text)));
  }

  private static String cli(SaeName name, String text) {
    return SameCalls.cli("top", name, List.of("--text", text, "--json"));
  }
}
