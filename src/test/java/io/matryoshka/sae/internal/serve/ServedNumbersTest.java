package io.matryoshka.sae.internal.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.ActiveLatent;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.explore.Direction;
import io.matryoshka.sae.explore.NearestLatents;
import io.matryoshka.sae.explore.Neighbour;
import io.matryoshka.sae.lm.GenerateOptions;
import io.matryoshka.sae.lm.HookPoint;
import io.matryoshka.sae.lm.Intervention;
import io.matryoshka.sae.lm.SpliceLoss;
import io.matryoshka.sae.lm.SpliceLossRun;
import io.matryoshka.sae.lm.TokenLosses;
import io.matryoshka.sae.lm.Tokens;
import io.matryoshka.sae.lm.Trace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the server answers is what the library computes. */
class ServedNumbersTest {

  private static final String KEY = ServedBookworm.KEY;
  private static final String TEXT = ServedBookworm.TEXT;

  @TempDir private static Path folder;
  private static ServedBookworm served;

  @BeforeAll
  static void start() throws IOException {
    served = ServedBookworm.start(folder);
    served.readCorpus();
  }

  @AfterAll
  static void stop() throws IOException {
    served.close();
  }

  private static double[] doubles(JsonNode array) {
    return IntStream.range(0, array.size())
        .mapToDouble(i -> array.get(i).isNull() ? Double.NaN : array.get(i).doubleValue())
        .toArray();
  }

  @Test
  void state_saysWhatIsOpen() throws IOException {
    JsonNode state = served.get("/api/state");
    JsonNode sae = state.at("/saes/0");
    assertThat(sae.get("key").textValue()).isEqualTo(KEY);
    assertThat(sae.get("widths").toString()).isEqualTo("[32,128,512,2048]");
    assertThat(sae.at("/levels/1").toString()).isEqualTo("{\"level\":1,\"from\":32,\"to\":128}");
    assertThat(sae.get("layer").intValue()).isEqualTo(5);
    assertThat(sae.at("/model/vocabulary").intValue()).isEqualTo(4096);
    assertThat(sae.at("/corpus/state").textValue()).isEqualTo("ready");
    assertThat(sae.at("/corpus/rows").intValue()).isEqualTo(851);
    assertThat(state.at("/saes/1/no_model").textValue()).isEqualTo("there is no model for it");
    assertThat(state.at("/saes/1/labels/editable").booleanValue()).isFalse();
  }

  @Test
  void latents_areThoseOfTheLibrary() throws IOException {
    JsonNode answer = served.post("/api/latents", ServedBookworm.body(KEY, TEXT));
    Tokens tokens = served.model.tokens(TEXT);
    assertThat(answer.get("tokens")).hasSize(tokens.size());
    assertThat(answer.at("/tokens/0/special").booleanValue()).isTrue();
    assertThat(answer.at("/tokens/0/counted").booleanValue()).isFalse();
    HookPoint hook = HookPoint.of(served.sae);
    try (Trace trace = served.model.trace(tokens, hook)) {
      SparseLatents latents = served.sae.encodeSparse(trace.at(hook));
      for (int i = 0; i < tokens.size(); i++) {
        List<ActiveLatent> expected = latents.strongest(i, latents.activeCount(i));
        List<ActiveLatent> found = new ArrayList<>();
        answer
            .at("/latents/" + i)
            .forEach(
                pair ->
                    found.add(new ActiveLatent(pair.get(0).intValue(), pair.get(1).floatValue())));
        assertThat(found).isEqualTo(expected);
        assertThat(answer.at("/tokens/" + i + "/text").textValue()).isEqualTo(tokens.piece(i));
      }
    }
  }

  @Test
  void spans_areThoseOfTheText() throws IOException {
    String text = "a 😀 é\n<b>";
    JsonNode answer = served.post("/api/latents", ServedBookworm.body(KEY, text));
    StringBuilder covered = new StringBuilder();
    int before = 0;
    for (JsonNode token : answer.get("tokens")) {
      if (!token.get("start").isNull() && token.get("end").intValue() > before) {
        covered.append(text, token.get("start").intValue(), token.get("end").intValue());
        before = token.get("end").intValue();
      }
    }
    assertThat(covered.toString()).isEqualTo(text);
  }

  @Test
  void widths_haveTheFiguresOfTheReconstructions() throws IOException {
    JsonNode answer = served.post("/api/latents", ServedBookworm.body(KEY, TEXT));
    Tokens tokens = served.model.tokens(TEXT);
    HookPoint hook = HookPoint.of(served.sae);
    try (Trace trace = served.model.trace(tokens, hook)) {
      NDArray x = trace.at(hook).get("1:"); // without BOS, as in the SAE's training
      NDArray mean = x.mean(new int[] {0}, true);
      NDArray variances = x.sub(mean).square().sum(new int[] {1});
      NDArray[] nested = served.sae.reconstructions(x);
      for (int w = 0; w < nested.length; w++) {
        JsonNode width = answer.at("/widths/" + w);
        NDArray left = x.sub(nested[w]).square().sum(new int[] {1});
        double explained = 1 - left.sum().getFloat() / (double) variances.sum().getFloat();
        assertThat(width.get("explained_variance").doubleValue())
            .isCloseTo(explained, within(1e-4));
        float[] errors = left.div(variances).toFloatArray();
        double[] found = doubles(width.get("error"));
        assertThat(found[0]).isNaN();
        for (int t = 0; t < errors.length; t++) {
          assertThat(found[t + 1]).isCloseTo(errors[t], within(1e-4));
        }
      }
      SparseLatents latents = served.sae.encodeSparse(x);
      assertThat(answer.at("/widths/3/l0").doubleValue())
          .isCloseTo(latents.activeCount() / (double) latents.rows(), within(1e-9));
      assertThat(answer.at("/widths/0/l0").doubleValue())
          .isCloseTo(latents.range(0, 32).activeCount() / (double) latents.rows(), within(1e-9));
    }
  }

  @Test
  void shares_areThoseOfTheLevels() throws IOException {
    JsonNode answer = served.post("/api/latents", ServedBookworm.body(KEY, TEXT));
    Tokens tokens = served.model.tokens(TEXT);
    HookPoint hook = HookPoint.of(served.sae);
    try (Trace trace = served.model.trace(tokens, hook)) {
      SparseLatents latents = served.sae.encodeSparse(trace.at(hook));
      float[] none = served.sae.decode(latents.zeroRange(0, 2048));
      float[] whole = served.sae.decode(latents);
      float[] secondLevel = served.sae.decode(latents.range(32, 128));
      int token = 3;
      double square = 0;
      double product = 0;
      for (int d = token * 128; d < (token + 1) * 128; d++) {
        square += Math.pow(whole[d] - none[d], 2);
        product += (secondLevel[d] - none[d]) * (whole[d] - none[d]);
      }
      double[] shares = doubles(answer.at("/shares/" + token));
      assertThat(Arrays.stream(shares).sum()).isCloseTo(1, within(1e-9));
      assertThat(shares[1]).isCloseTo(product / square, within(1e-4));
    }
  }

  @Test
  void losses_areThoseOfTheRun() throws IOException {
    JsonNode answer = served.post("/api/losses", ServedBookworm.body(KEY, TEXT));
    Tokens tokens = served.model.tokens(TEXT);
    List<List<TokenLosses>> told = new ArrayList<>();
    SpliceLoss loss =
        new SpliceLossRun(served.model, served.sae)
            .listener((text, losses) -> told.add(losses))
            .run(List.of(tokens));
    List<TokenLosses> losses = told.get(0);
    assertThat(doubles(answer.at("/clean/loss"))).isEqualTo(losses.get(0).crossEntropy());
    assertThat(doubles(answer.at("/zero/kl"))).isEqualTo(losses.get(1).kl());
    for (int w = 0; w < 4; w++) {
      JsonNode width = answer.at("/widths/" + w);
      assertThat(doubles(width.get("loss"))).isEqualTo(losses.get(w + 2).crossEntropy());
      assertThat(doubles(width.get("kl"))).isEqualTo(losses.get(w + 2).kl());
      assertThat(width.get("mean_loss").doubleValue())
          .isCloseTo(loss.widths().get(w).crossEntropy(), within(1e-12));
      assertThat(width.get("recovered").doubleValue())
          .isCloseTo(loss.widths().get(w).recovered(), within(1e-9));
    }
  }

  @Test
  void lossesOfOneToken_areEmpty() throws IOException {
    JsonNode answer = served.post("/api/losses", ServedBookworm.body(KEY, "<bos>"));
    assertThat(answer.at("/clean/loss")).isEmpty();
    assertThat(answer.at("/widths/0/mean_loss").isNull()).isTrue();
  }

  @Test
  void latent_hasTheNeighboursAndLogitsOfTheLibrary() throws IOException {
    int latent = 40;
    JsonNode answer = served.get("/api/latent?sae=" + KEY + "&latent=" + latent);
    List<Neighbour> nearest =
        new NearestLatents(served.sae, served.sae, Direction.DECODER, 10)
            .find(new int[] {latent}, done -> {})
            .get(0);
    for (int i = 0; i < nearest.size(); i++) {
      JsonNode found = answer.at("/nearest/decoder/" + i);
      assertThat(found.get("latent").intValue()).isEqualTo(nearest.get(i).latent());
      assertThat(found.get("cosine").doubleValue()).isEqualTo(nearest.get(i).cosine());
    }
    for (String list : List.of("/nearest/encoder/3", "/relatives/2/latents/1")) {
      int other = answer.at(list).get("latent").intValue();
      JsonNode promoted = served.get("/api/latent?sae=" + KEY + "&latent=" + other);
      assertThat(answer.at(list).get("promoted")).isEqualTo(promoted.at("/logits/promoted/0/text"));
    }
    assertThat(answer.get("relatives")).hasSize(3);
    assertThat(answer.at("/relatives/0/level").intValue()).isZero();
    answer
        .at("/relatives/0/latents")
        .forEach(r -> assertThat(r.get("latent").intValue()).isLessThan(32));
    assertThat(answer.get("level").intValue()).isEqualTo(1);
    assertThat(answer.get("threshold").floatValue()).isEqualTo(served.sae.thresholds()[latent]);
    float[] logits = logitsOfDirection(latent);
    int best =
        IntStream.range(0, logits.length)
            .reduce((a, b) -> logits[b] > logits[a] ? b : a)
            .getAsInt();
    int worst =
        IntStream.range(0, logits.length)
            .reduce((a, b) -> logits[b] < logits[a] ? b : a)
            .getAsInt();
    assertThat(answer.at("/logits/promoted/0/id").intValue()).isEqualTo(best);
    assertThat(answer.at("/logits/promoted/0/logit").floatValue())
        .isCloseTo(logits[best], within(1e-4f));
    assertThat(answer.at("/logits/promoted/0/text").textValue())
        .isEqualTo(served.model.piece(best));
    assertThat(answer.at("/logits/suppressed/0/id").intValue()).isEqualTo(worst);
  }

  /** The other way to the same: a run whose last layer gives the direction. */
  private static float[] logitsOfDirection(int latent) {
    HookPoint last = HookPoint.residPost(served.model.config().layerCount() - 1);
    float[] direction = served.sae.decoderRows(latent, latent + 1);
    try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
      NDArray row = manager.create(direction, new Shape(1, direction.length));
      return served
          .model
          .logits(Tokens.of(2), manager, Intervention.at(last, x -> row))
          .toFloatArray();
    }
  }

  @Test
  void latent_hasWhatTheCorpusTells() throws IOException {
    JsonNode latents = served.get("/api/search?sae=" + KEY + "&sort=-density&limit=1");
    int busiest = latents.at("/latents/0/latent").intValue();
    JsonNode answer = served.get("/api/latent?sae=" + KEY + "&latent=" + busiest);
    JsonNode corpus = answer.get("corpus");
    assertThat(corpus.get("rows").intValue()).isEqualTo(851);
    assertThat(corpus.get("density").doubleValue())
        .isEqualTo(latents.at("/latents/0/density").doubleValue())
        .isEqualTo(corpus.get("firings").intValue() / 851.0);
    JsonNode strongest = corpus.at("/contexts/0");
    assertThat(strongest.get("activations").get(strongest.get("at").intValue()).floatValue())
        .isEqualTo(corpus.get("max_activation").floatValue());
    assertThat(strongest.get("tokens")).hasSameSizeAs(strongest.get("activations"));
    assertThat(corpus.at("/examples/0/activations").isArray()).isTrue();
    long counted = 0;
    for (JsonNode count : corpus.at("/histogram/counts")) {
      counted += count.longValue();
    }
    assertThat(counted).isEqualTo(corpus.get("firings").longValue());
    assertThat(answer.at("/tree/children/0/both").intValue()).isPositive();
    for (String list : List.of("/tree/children/0", "/nearest/decoder/0")) {
      int other = answer.at(list).get("latent").intValue();
      JsonNode found = served.get("/api/search?sae=" + KEY + "&query=" + other);
      assertThat(answer.at(list).get("top_tokens")).isEqualTo(found.at("/latents/0/top_tokens"));
    }
    assertThat(answer.at("/tree/children/0/children").isArray()).isTrue();
    assertThat(answer.at("/same/cli").textValue())
        .isEqualTo(
            "matryoshka-sae explore %s %s --text-file 'it'\\''s.txt' --latent %d --json"
                .formatted(ServedBookworm.RELEASE, ServedBookworm.SAE_ID, busiest));
  }

  private static ObjectNode changes() {
    ObjectNode body = ServedBookworm.body(KEY, TEXT);
    body.putArray("edits").addObject().put("kind", "steer").put("latent", 1).put("value", 24);
    body.withArray("edits").addObject().put("kind", "zero").put("latent", 20);
    body.withArray("edits").addObject().put("kind", "scale").put("latent", 22).put("value", 2);
    return body;
  }

  private static List<Intervention> interventions() {
    SAE sae = served.sae;
    return List.of(
        Intervention.ablate(sae, 20).skipBos(),
        Intervention.scale(sae, 22, 2f).skipBos(),
        Intervention.steer(sae, 1, 24f).skipBos());
  }

  @Test
  void intervention_hasTheLossesAndProbabilitiesOfTheModel() throws IOException {
    JsonNode answer = served.post("/api/intervene", changes().put("position", 4).put("count", 5));
    Tokens tokens = served.model.tokens(TEXT);
    List<TokenLosses> losses = served.model.losses(tokens, List.of(interventions()));
    assertThat(doubles(answer.at("/clean/loss"))).isEqualTo(losses.get(0).crossEntropy());
    assertThat(doubles(answer.at("/changed/loss"))).isEqualTo(losses.get(1).crossEntropy());
    assertThat(doubles(answer.at("/changed/kl"))).isEqualTo(losses.get(1).kl());
    try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
      float[] clean = served.model.logits(tokens, manager).get(4).softmax(-1).toFloatArray();
      float[] changed =
          served
              .model
              .logits(tokens, manager, interventions().toArray(Intervention[]::new))
              .get(4)
              .softmax(-1)
              .toFloatArray();
      assertThat(answer.get("next").size()).isBetween(5, 10);
      for (JsonNode next : answer.get("next")) {
        int id = next.get("id").intValue();
        assertThat(next.get("clean").doubleValue()).isCloseTo(clean[id], within(1e-5));
        assertThat(next.get("changed").doubleValue()).isCloseTo(changed[id], within(1e-5));
        assertThat(next.get("text").textValue()).isEqualTo(served.model.piece(id));
      }
    }
  }

  @Test
  void interventionAtPositions_leavesEarlierOnesAlone() throws IOException {
    JsonNode answer = served.post("/api/intervene", changes().put("positions", "6-7, 9"));
    double[] kl = doubles(answer.at("/changed/kl"));
    assertThat(Arrays.stream(kl).limit(6).max().getAsDouble()).isLessThan(1e-6);
    assertThat(kl[6]).isGreaterThan(1e-3);
    assertThat(answer.at("/same/cli").textValue())
        .endsWith("--ablate 20 --scale 22:2 --steer 1:24 --positions 6-7,9 --skip-bos --json");
  }

  @Test
  void continuations_areThoseOfTheModel() throws IOException {
    List<JsonNode> lines = new ArrayList<>();
    String text = "building: the occupants of a";
    String body = changes().put("text", text).put("max_new_tokens", 12).toString();
    for (String line : served.send(served.post("/api/generate", body)).body().split("\n")) {
      lines.add(ServedBookworm.json(line));
    }
    Tokens prompt = served.model.tokens(text);
    GenerateOptions options = GenerateOptions.greedy(12);
    String clean = served.model.generate(prompt, options).text();
    String changed =
        served.model.generate(prompt, options, interventions().toArray(Intervention[]::new)).text();
    assertThat(end(lines, "clean")).isEqualTo(clean);
    assertThat(end(lines, "changed")).isEqualTo(changed).isNotEqualTo(clean);
    assertThat(pieces(lines, "clean")).isEqualTo(clean);
    assertThat(lines.get(lines.size() - 1).get("done").booleanValue()).isTrue();
    assertThat(lines.subList(0, 6))
        .extracting(l -> l.get("side").textValue())
        .contains("clean", "changed");
  }

  private static String end(List<JsonNode> lines, String side) {
    return lines.stream()
        .filter(line -> line.has("end") && line.get("side").textValue().equals(side))
        .map(line -> line.get("text").textValue())
        .findFirst()
        .orElseThrow();
  }

  private static String pieces(List<JsonNode> lines, String side) {
    StringBuilder text = new StringBuilder();
    lines.stream()
        .filter(line -> line.has("id") && line.get("side").textValue().equals(side))
        .forEach(line -> text.append(line.get("text").textValue()));
    return text.toString();
  }

  @Test
  void sampledContinuation_isThatOfItsSeed() throws IOException {
    String text = "The cat";
    ObjectNode body = ServedBookworm.body(KEY, text).put("max_new_tokens", 8);
    body.put("temperature", 0.9).put("seed", 7).put("top_k", 50);
    String[] lines = served.send(served.post("/api/generate", body.toString())).body().split("\n");
    GenerateOptions options = GenerateOptions.sampling(8, 0.9, 7).topK(50);
    assertThat(ServedBookworm.json(lines[lines.length - 2]).get("text").textValue())
        .isEqualTo(served.model.generate(served.model.tokens(text), options).text());
  }

  @Test
  void comparison_ofTwoPrefixes_hasTheFiguresOfBoth() throws IOException {
    ObjectNode body = ServedBookworm.body(KEY, TEXT);
    body.remove("sae");
    body.putObject("left").put("sae", KEY).put("width", 128);
    body.putObject("right").put("sae", KEY).putNull("width");
    JsonNode answer = served.post("/api/compare", body);
    JsonNode alone = served.post("/api/latents", ServedBookworm.body(KEY, TEXT));
    JsonNode losses = served.post("/api/losses", ServedBookworm.body(KEY, TEXT));
    assertThat(answer.at("/right/latents")).isEqualTo(alone.get("latents"));
    assertThat(answer.at("/right/explained_variance"))
        .isEqualTo(alone.at("/widths/3/explained_variance"));
    assertThat(answer.at("/right/mean_loss")).isEqualTo(losses.at("/widths/3/mean_loss"));
    assertThat(answer.at("/left/mean_loss").doubleValue())
        .isCloseTo(losses.at("/widths/1/mean_loss").doubleValue(), within(1e-5));
    assertThat(answer.at("/left/explained_variance").doubleValue())
        .isCloseTo(alone.at("/widths/1/explained_variance").doubleValue(), within(1e-5));
    JsonNode match = answer.at("/matches/0");
    assertThat(match.get("left")).isEqualTo(match.get("right"));
    assertThat(match.get("cosine").doubleValue()).isCloseTo(1, within(1e-12));
    assertThat(match.get("tokens_both")).isEqualTo(match.get("tokens_left"));
  }

  @Test
  void labels_arePutIntoTheFile_andShownEverywhere() throws IOException {
    ObjectNode body = ServedBookworm.body(KEY, "  a\u202e <b>\"label\"</b>\n").put("latent", 22);
    JsonNode put =
        ServedBookworm.json(
            served
                .send(
                    served
                        .request("/api/label")
                        .header("Content-Type", "application/json")
                        .method(
                            "PUT",
                            java.net.http.HttpRequest.BodyPublishers.ofString(body.toString())))
                .body());
    String label = "a  <b>\"label\"</b>";
    assertThat(put.at("/label/text").textValue()).isEqualTo(label);
    assertThat(ServedBookworm.json(Files.readString(served.labels)).get("22").textValue())
        .isEqualTo(label);
    assertThat(
            served
                .post("/api/latents", ServedBookworm.body(KEY, TEXT))
                .at("/labels/22")
                .textValue())
        .isEqualTo(label);
    assertThat(
            served
                .get("/api/search?sae=" + KEY + "&query=LABEL")
                .at("/latents/0/latent")
                .intValue())
        .isEqualTo(22);
    assertThat(served.get("/api/latent?sae=" + KEY + "&latent=22").at("/label/own").booleanValue())
        .isTrue();
    served.send(served.request("/api/label?sae=" + KEY + "&latent=22").DELETE());
    assertThat(served.get("/api/latent?sae=" + KEY + "&latent=22").get("label").isNull()).isTrue();
  }

  @Test
  void exports_holdTheAnswer() throws IOException {
    for (String view : List.of("latents", "losses", "latent", "intervene")) {
      ObjectNode request = ServedBookworm.body(KEY, TEXT);
      if (view.equals("latent")) {
        request.put("latent", 7).remove("text");
      } else if (view.equals("intervene")) {
        request.setAll(changes());
      }
      ObjectNode body = ServedBookworm.body(KEY, TEXT);
      body.removeAll();
      body.put("view", view).set("request", request);
      JsonNode answer =
          view.equals("latent")
              ? served.get("/api/latent?sae=" + KEY + "&latent=7")
              : served.post("/api/" + view, request);
      assertThat(ServedBookworm.json(export(body.put("format", "json")))).isEqualTo(answer);
      assertThat(export(body.put("format", "html"))).contains("Content-Security-Policy", KEY);
      assertThat(export(body.put("format", "csv"))).contains(",").endsWith("\r\n");
    }
  }

  private static String export(ObjectNode body) {
    var answer = served.send(served.post("/api/export", body.toString()));
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    assertThat(answer.headers().firstValue("Content-Disposition").orElseThrow())
        .isEqualTo(
            "attachment; filename=\"matryoshka-%s.%s\""
                .formatted(body.get("view").textValue(), body.get("format").textValue()));
    return answer.body();
  }
}
