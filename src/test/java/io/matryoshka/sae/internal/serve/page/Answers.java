package io.matryoshka.sae.internal.serve.page;

import static io.matryoshka.sae.internal.serve.page.MadeText.WIDTHS;
import static io.matryoshka.sae.internal.serve.page.MadeText.made;

import com.fasterxml.jackson.databind.JsonNode;
import io.matryoshka.sae.internal.serve.page.MadeText.Token;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;

/** What the stand-in answers to each call. */
final class Answers {

  static final String FIRST = "bookworm-3m-res-matryoshka-demo/blocks.5.hook_resid_post";
  static final String SECOND = "my-release/blocks.6.hook_resid_post";
  static final String NO_MODEL = "all-minilm-l6-v2-matryoshka-demo/last_hidden_state";
  static final String EXAMPLE =
      "building: the occupants of a building. The entire building complained about the noise.";

  private static final List<String> NAMES =
      List.of("dialogue", "names in novels", "plants", "Python’s manual", "years", "modal verbs");

  private final Map<Integer, String> ownLabels = new ConcurrentHashMap<>();
  private volatile int corpusPolls;
  private volatile boolean corpusHeld;
  private volatile String foreignText = "";

  void reset() {
    ownLabels.clear();
    corpusPolls = 0;
    corpusHeld = false;
    foreignText = "";
  }

  /** Keeps the corpus from being read to its end. */
  void holdCorpus(boolean hold) {
    corpusHeld = hold;
  }

  /** Puts a text into every label and every token of a context. */
  void put(String text) {
    foreignText = text;
  }

  Object answer(String method, String path, JsonNode request) {
    return switch (path) {
      case "/api/state" -> state();
      case "/api/latents" -> latents(request.get("sae").asText(), request.get("text").asText());
      case "/api/losses" -> losses(request.get("text").asText());
      case "/api/latent" -> new MadeLatent(this, request.get("latent").asInt()).json();
      case "/api/search" -> search(request);
      case "/api/label" -> label(method, request);
      case "/api/intervene" -> intervene(request);
      case "/api/compare" -> compare(request);
      default -> throw new IllegalArgumentException(path);
    };
  }

  static Map<String, Object> map(Object... pairs) {
    Map<String, Object> map = new LinkedHashMap<>();
    for (int i = 0; i < pairs.length; i += 2) {
      map.put((String) pairs[i], pairs[i + 1]);
    }
    return map;
  }

  static Map<String, Object> same(String call) {
    return map(
        "java",
        "try (SAE sae = SAE.fromPretrained(\"bookworm-3m-res-matryoshka-demo\",\n"
            + "    \"blocks.5.hook_resid_post\")) {\n  // "
            + call
            + "\n}",
        "cli",
        "matryoshka-sae " + call + " bookworm-3m-res-matryoshka-demo --text 'The cat sat.'");
  }

  private Map<String, Object> state() {
    corpusPolls++;
    return map(
        "version",
        "0.1.0-SNAPSHOT",
        "limits",
        map(
            "text_characters",
            8000,
            "text_tokens",
            4000,
            "new_tokens",
            200,
            "edits",
            32,
            "body_bytes",
            65536,
            "waiting_calls",
            64,
            "label_characters",
            2000),
        "example",
        EXAMPLE,
        "saes",
        List.of(sae(FIRST, 5, true), sae(SECOND, 6, true), sae(NO_MODEL, 5, false)));
  }

  private Map<String, Object> sae(String key, int layer, boolean model) {
    int slash = key.indexOf('/');
    int[] from = {0, 32, 128, 512};
    return map(
        "key",
        key,
        "release",
        key.substring(0, slash),
        "sae_id",
        key.substring(slash + 1),
        "model",
        model
            ? map("name", "bookworm-3m", "layers", 8, "vocabulary", 4096, "text_tokens", 512)
            : null,
        "no_model",
        model ? null : "all-MiniLM-L6-v2 is none of the models that are run here",
        "architecture",
        "jumprelu",
        "transcoder",
        false,
        "hook_point",
        "blocks." + layer + ".hook_resid_post",
        "hook_point_out",
        "blocks." + layer + ".hook_resid_post",
        "layer",
        layer,
        "d_in",
        128,
        "d_out",
        128,
        "d_sae",
        2048,
        "widths",
        WIDTHS,
        "levels",
        IntStream.range(0, 4)
            .mapToObj(level -> map("level", level, "from", from[level], "to", WIDTHS[level]))
            .toList(),
        "neuronpedia",
        false,
        "labels",
        map("count", 12, "source", "labels.json", "editable", true, "reason", null),
        "corpus",
        corpus(key.equals(FIRST)));
  }

  private Map<String, Object> corpus(boolean given) {
    int polls = Math.min(corpusPolls, corpusHeld ? 2 : 3);
    return map(
        "state",
        !given ? "none" : polls < 3 ? "running" : "ready",
        "source",
        given ? "texts.txt" : null,
        "task",
        "encode",
        "done",
        400 * polls,
        "total",
        1200,
        "rows",
        polls < 3 ? null : 20000,
        "message",
        null);
  }

  String labelOf(int latent) {
    if (!foreignText.isEmpty()) {
      return foreignText;
    }
    return ownLabels.getOrDefault(
        latent, latent % 3 == 0 ? NAMES.get(latent / 3 % NAMES.size()) : null);
  }

  Map<String, Object> labelJson(int latent) {
    String text = labelOf(latent);
    return text == null
        ? null
        : map("text", text, "provenance", "labels.json", "own", ownLabels.containsKey(latent));
  }

  String contextToken(String token) {
    return foreignText.isEmpty() ? token : foreignText;
  }

  private Map<String, Object> label(String method, JsonNode request) {
    int latent = request.get("latent").asInt();
    if (method.equals("PUT")) {
      ownLabels.put(latent, request.get("text").asText());
    } else {
      ownLabels.remove(latent);
    }
    return map("label", labelJson(latent));
  }

  private Map<String, String> labels(List<List<List<Number>>> latents) {
    Map<String, String> found = new TreeMap<>();
    for (List<List<Number>> token : latents) {
      for (List<Number> pair : token) {
        String label = labelOf(pair.get(0).intValue());
        if (label != null) {
          found.put(pair.get(0).toString(), label);
        }
      }
    }
    return found;
  }

  private Map<String, Object> latents(String sae, String text) {
    List<Token> tokens = MadeText.tokens(text);
    List<List<List<Number>>> latents =
        tokens.stream().map(token -> MadeText.latents(token, 2048)).toList();
    return map(
        "sae",
        sae,
        "tokens",
        tokens.stream().map(Token::json).toList(),
        "latents",
        latents,
        "shares",
        tokens.stream().map(MadeText::shares).toList(),
        "widths",
        Arrays.stream(WIDTHS).mapToObj(width -> width(tokens, width)).toList(),
        "labels",
        labels(latents),
        "same",
        same("latents"));
  }

  private static Map<String, Object> width(List<Token> tokens, int width) {
    List<Double> errors = tokens.stream().map(token -> MadeText.error(token, width)).toList();
    return map(
        "width",
        width,
        "explained_variance",
        1 - mean(errors),
        "l0",
        mean(tokens.stream().map(token -> (double) MadeText.latents(token, width).size()).toList()),
        "error",
        errors);
  }

  private static Double mean(List<Double> values) {
    var known = values.stream().filter(value -> value != null).mapToDouble(Double::doubleValue);
    return known.average().orElse(Double.NaN);
  }

  /** Losses of a run that is worse by {@code extra} nats on average. */
  private static Map<String, Object> run(List<Token> tokens, double extra) {
    List<Double> loss = new ArrayList<>();
    List<Double> kl = new ArrayList<>();
    for (int i = 0; i < tokens.size(); i++) {
      String text = tokens.get(i).text() + i;
      kl.add(extra * made(text, 201));
      if (i > 0) {
        loss.add(6 * made(text, 200) + extra * (2.4 * made(text, 202) - 0.4));
      }
    }
    Double meanLoss = loss.isEmpty() ? null : mean(loss);
    return map("loss", loss, "kl", kl, "mean_loss", meanLoss, "mean_kl", mean(kl));
  }

  private static Map<String, Object> losses(String text) {
    List<Token> tokens = MadeText.tokens(text);
    double[] extra = {1.4, 0.6, 0.3, 0.16};
    List<Object> widths = new ArrayList<>();
    for (int i = 0; i < WIDTHS.length; i++) {
      Map<String, Object> run = run(tokens, extra[i]);
      run.put("width", WIDTHS[i]);
      run.put("recovered", 1 - extra[i] / 5);
      widths.add(run);
    }
    return map(
        "clean", run(tokens, 0), "zero", run(tokens, 5), "widths", widths, "same", same("losses"));
  }

  private Map<String, Object> search(JsonNode request) {
    String query = request.path("query").asText("").toLowerCase(java.util.Locale.ROOT);
    int level = request.has("level") ? request.get("level").asInt() : -1;
    List<Map<String, Object>> found =
        IntStream.range(0, 2048)
            .filter(latent -> level < 0 || MadeLatent.level(latent) == level)
            .filter(latent -> matches(latent, query))
            .mapToObj(latent -> new MadeLatent(this, latent).row())
            .toList();
    int offset = request.path("offset").asInt();
    int end = Math.min(found.size(), offset + request.path("limit").asInt(50));
    return map("total", found.size(), "latents", found.subList(Math.min(offset, end), end));
  }

  private boolean matches(int latent, String query) {
    String label = labelOf(latent);
    return query.isEmpty()
        || query.equals(String.valueOf(latent))
        || label != null && label.toLowerCase(java.util.Locale.ROOT).contains(query);
  }

  private static Map<String, Object> intervene(JsonNode request) {
    List<Token> tokens = MadeText.tokens(request.get("text").asText());
    double strength = request.get("edits").size();
    int position = request.path("position").asInt(tokens.size() - 1);
    List<Object> next = new ArrayList<>();
    for (String word : "▁the ▁of ▁a ▁noise ▁house ▁garden . , ▁and ▁tree".split(" ")) {
      double clean = 0.3 * Math.pow(made(word + position, 300), 2);
      double changed = 0.3 * Math.pow(made(word + position + strength, 301), 2);
      next.add(map("id", 7, "text", word, "clean", clean, "changed", changed));
    }
    return map(
        "sae",
        request.get("sae").asText(),
        "clean",
        run(tokens, 0),
        "changed",
        run(tokens, 0.4 * strength),
        "position",
        position,
        "next",
        next,
        "same",
        same("intervene"));
  }

  private Map<String, Object> compare(JsonNode request) {
    List<Token> tokens = MadeText.tokens(request.get("text").asText());
    return map(
        "tokens",
        tokens.stream().map(Token::json).toList(),
        "left",
        side(tokens, request.get("left")),
        "right",
        side(tokens, request.get("right")),
        "clean",
        run(tokens, 0),
        "matches",
        IntStream.range(0, 30)
            .mapToObj(
                i ->
                    map(
                        "left",
                        17 * i,
                        "right",
                        20 * i + 1,
                        "cosine",
                        0.97 - 0.03 * i,
                        "mutual",
                        i % 3 != 2,
                        "tokens_left",
                        3,
                        "tokens_right",
                        4,
                        "tokens_both",
                        3))
            .toList(),
        "same",
        same("compare"));
  }

  private Map<String, Object> side(List<Token> tokens, JsonNode side) {
    int width = side.path("width").asInt(2048);
    int asked = width == 0 ? 2048 : width;
    List<List<List<Number>>> latents =
        tokens.stream().map(token -> MadeText.latents(token, asked)).toList();
    Map<String, Object> json = width(tokens, asked);
    json.put("sae", side.get("sae").asText());
    json.put("latents", latents);
    json.putAll(run(tokens, 300.0 / asked));
    json.put("recovered", 1 - 60.0 / asked);
    json.put("labels", labels(latents));
    return json;
  }

  /** The lines of a clean and a changed continuation. */
  List<Object> continuation(JsonNode request) {
    List<String> sides = new ArrayList<>();
    request.path("sides").forEach(side -> sides.add(side.asText()));
    int count = request.path("max_new_tokens").asInt(40);
    List<Object> lines = new ArrayList<>();
    Map<String, String> texts = new TreeMap<>();
    for (int i = 0; i < count; i++) {
      for (String side : sides) {
        String text = (side.equals("clean") ? " word" : " leaf") + i;
        texts.merge(side, text, String::concat);
        lines.add(map("side", side, "id", i, "text", text));
      }
    }
    for (String side : sides) {
      List<Integer> ids = IntStream.range(0, count).boxed().toList();
      lines.add(
          map("side", side, "end", "length", "text", texts.getOrDefault(side, ""), "ids", ids));
    }
    lines.add(map("done", true, "same", same("generate")));
    return lines;
  }
}
