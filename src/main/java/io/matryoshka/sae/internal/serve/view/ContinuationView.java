package io.matryoshka.sae.internal.serve.view;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.lm.GenerateOptions;
import io.matryoshka.sae.lm.Generation;
import io.matryoshka.sae.lm.Intervention;
import io.matryoshka.sae.lm.Tokens;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A clean and a changed continuation of one text, token by token. Each side is computed by a thread
 * of its own, and both take turns.
 */
public final class ContinuationView {

  /** One side of the comparison. */
  public enum Side {
    /** Without a change. */
    CLEAN,
    /** With the changes of the request. */
    CHANGED
  }

  private final OpenSae open;
  private final String text;
  private final Edits edits;
  private final Tokens prompt;
  private final GenerateOptions options;
  private final List<Side> sides;

  private ContinuationView(
      OpenSae open,
      String text,
      Edits edits,
      Tokens prompt,
      GenerateOptions options,
      List<Side> sides) {
    this.open = open;
    this.text = text;
    this.edits = edits;
    this.prompt = prompt;
    this.options = options;
    this.sides = sides;
  }

  static ContinuationView read(OpenSae open, Fields fields, Limits limits) throws IOException {
    open.requireOnePlace();
    open.requireDecoder();
    String text = fields.text("text");
    Edits edits = Edits.read(fields, open, limits);
    GenerateOptions options = options(fields, limits);
    List<Side> sides = sides(fields.texts("sides", Side.values().length), edits);
    fields.requireNoOther();
    Tokens prompt = open.tokens(text, limits);
    edits.requireReached(open, prompt, options.maxNewTokens());
    return new ContinuationView(open, text, edits, prompt, options, sides);
  }

  private static GenerateOptions options(Fields fields, Limits limits) {
    int count = fields.number("max_new_tokens", 40, 1, limits.newTokens());
    double temperature = fields.decimal("temperature", 0);
    int topK = fields.number("top_k", 0, 0, Integer.MAX_VALUE);
    double topP = fields.decimal("top_p", 1);
    long seed = fields.seed("seed");
    try {
      return GenerateOptions.sampling(count, temperature, seed).topK(topK).topP(topP);
    } catch (IllegalArgumentException e) {
      throw ViewException.badRequest(e.getMessage());
    }
  }

  private static List<Side> sides(List<String> names, Edits edits) {
    if (names.isEmpty()) {
      return edits.edits().isEmpty() ? List.of(Side.CLEAN) : List.of(Side.values());
    }
    List<Side> sides = new ArrayList<>();
    for (String name : names) {
      Side side =
          switch (name) {
            case "clean" -> Side.CLEAN;
            case "changed" -> Side.CHANGED;
            default ->
                throw ViewException.badRequest(
                    "sides: expected clean or changed, got '%.40s'".formatted(name));
          };
      if (sides.contains(side)) {
        throw ViewException.badRequest("sides: '%s' stands there twice".formatted(name));
      }
      sides.add(side);
    }
    return List.copyOf(sides);
  }

  /**
   * Returns what is to be generated.
   *
   * @return at least one side
   */
  public List<Side> sides() {
    return sides;
  }

  /**
   * Generates one side.
   *
   * @param side the side
   * @param passes gives it its turns
   * @param cancellation ends it at the next token
   * @param told gets an object for each token, and one at the end; may be called by several sides
   *     at once
   * @throws Exception what the language model throws, and {@link
   *     java.util.concurrent.CancellationException}
   */
  public void generate(
      Side side, Passes passes, Cancellation cancellation, Consumer<ObjectNode> told)
      throws Exception {
    List<Intervention> changes = side == Side.CLEAN ? List.of() : edits.of(open.sae());
    GenerateOptions heard =
        options.listener(
            (id, piece) ->
                passes.stepAside(
                    cancellation, () -> told.accept(line(side).put("id", id).put("text", piece))));
    Generation generation =
        passes.run(
            cancellation,
            () -> open.model().generate(prompt, heard, changes.toArray(Intervention[]::new)));
    ObjectNode end = line(side).put("end", generation.end().name().toLowerCase(Locale.ROOT));
    end.put("text", generation.text());
    ArrayNode ids = end.putArray("ids");
    for (int id : generation.tokens().ids()) {
      ids.add(id);
    }
    told.accept(end);
  }

  private static ObjectNode line(Side side) {
    return Json.object().put("side", side.name().toLowerCase(Locale.ROOT));
  }

  /**
   * Returns the last line of all.
   *
   * @return an object that tells that nothing more comes
   */
  public ObjectNode done() {
    ObjectNode node = Json.object().put("done", true);
    SameCalls.put(node, java(), Optional.of(cli()));
    return node;
  }

  private String java() {
    String made =
        options.temperature() == 0
            ? "GenerateOptions.greedy(%d)".formatted(options.maxNewTokens())
            : "GenerateOptions.sampling(%d, %s, %dL)"
                .formatted(options.maxNewTokens(), options.temperature(), options.seed());
    made += options.topK() == 0 ? "" : ".topK(" + options.topK() + ")";
    made += options.topP() == 1 ? "" : ".topP(" + options.topP() + ")";
    return SameCalls.javaWithModel(
        open.name(),
        """
        Tokens prompt = model.tokens(%s);
        %s
        GenerateOptions options = %s;
        System.out.println(model.generate(prompt, options).text());
        System.out.println(
            model.generate(prompt, options, changes.toArray(new Intervention[0])).text());"""
            .formatted(SameCalls.literal(text), edits.java(), made));
  }

  private String cli() {
    List<String> words = new ArrayList<>(List.of("--text", text));
    words.addAll(edits.words());
    words.addAll(List.of("--max-new-tokens", Integer.toString(options.maxNewTokens())));
    if (options.temperature() > 0) {
      words.addAll(List.of("--temperature", Double.toString(options.temperature())));
      words.addAll(List.of("--seed", Long.toString(options.seed())));
    }
    if (options.topK() > 0) {
      words.addAll(List.of("--top-k", Integer.toString(options.topK())));
    }
    if (options.topP() < 1) {
      words.addAll(List.of("--top-p", Double.toString(options.topP())));
    }
    return SameCalls.cli("generate", open.name(), words);
  }
}
