package io.matryoshka.sae.internal.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.support.MiniLm;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command that serves a page. */
class ServeCommandTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String RELEASE = "bookworm-3m-res-matryoshka-demo";
  private static final String SAE_ID = "blocks.5.hook_resid_post";
  private static final String KEY = RELEASE + "/" + SAE_ID;
  private static final String TEXT = "It's a \"building\".";
  private static final Pattern WORD = Pattern.compile("(?:'[^']*'|\\\\'|[^\\s'\\\\])+");

  @TempDir private Path folder;

  /** A running command and a client of its server. */
  private static final class Running implements AutoCloseable {

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final CompletableFuture<Integer> code = new CompletableFuture<>();
    private final Thread thread;
    private final HttpClient client = HttpClient.newHttpClient();

    Running(Object... args) {
      List<String> words = new ArrayList<>(List.of("serve"));
      for (Object arg : args) {
        words.add(arg.toString());
      }
      Console console = new Console(new PrintWriter(out), new PrintWriter(err), false, false);
      thread =
          new Thread(() -> code.complete(Main.run(console, words.toArray(String[]::new))), "serve");
      thread.start();
    }

    String address() throws Exception {
      while (!out.toString().contains("\n}")) {
        assertThat(code.isDone()).as(err.toString()).isFalse();
        Thread.sleep(10);
      }
      return JSON.readTree(out.toString()).get("address").textValue();
    }

    JsonNode call(String path, Optional<ObjectNode> body) throws Exception {
      HttpRequest.Builder request =
          HttpRequest.newBuilder(URI.create(address() + "api/" + path))
              .header("X-Matryoshka", "1")
              .header("Content-Type", "application/json");
      body.ifPresent(b -> request.POST(BodyPublishers.ofString(b.toString())));
      return JSON.readTree(client.send(request.build(), BodyHandlers.ofString()).body());
    }

    int end() throws Exception {
      thread.interrupt();
      return code.get(60, TimeUnit.SECONDS);
    }

    @Override
    public void close() {
      thread.interrupt();
      code.orTimeout(60, TimeUnit.SECONDS).join();
    }
  }

  private Running start(Object... args) {
    List<Object> all = new ArrayList<>(List.of(args));
    all.addAll(List.of("--port", "0", "--json"));
    return new Running(all.toArray());
  }

  private static JsonNode ready(Running running) throws Exception {
    JsonNode sae = running.call("state", Optional.empty()).at("/saes/0");
    while (sae.at("/corpus/state").textValue().matches("waiting|running")) {
      Thread.sleep(20);
      sae = running.call("state", Optional.empty()).at("/saes/0");
    }
    return sae;
  }

  /** Splits a line as a POSIX shell does that knows single quotes and escaped ones. */
  private static Object[] words(String line) {
    return WORD.matcher(line)
        .results()
        .skip(1)
        .map(word -> word.group().replace("\\'", "\u0000").replace("'", "").replace('\u0000', '\''))
        .toArray();
  }

  @Test
  void withoutAnSae_theBundledOneIsServed_andInterruptingEndsIt() throws Exception {
    Running running = start("--labels-file", folder.resolve("labels.json"));
    JsonNode sae = ready(running);
    assertThat(sae.get("key").textValue()).isEqualTo(KEY);
    assertThat(sae.at("/model/name").textValue()).isEqualTo("bookworm-3m");
    assertThat(sae.at("/corpus/state").textValue()).isEqualTo("ready");
    assertThat(sae.at("/labels/source").textValue()).isEqualTo("labels.json");
    assertThat(running.end()).isZero();
    assertThat(running.err.toString()).isEmpty();
  }

  @Test
  void sameCommand_givesTheSameNumbers() throws Exception {
    try (Running running = start()) {
      ObjectNode body = JSON.createObjectNode().put("sae", KEY).put("text", TEXT);
      JsonNode latents = running.call("latents", Optional.of(body));
      JsonNode top = Cli.run(words(latents.at("/same/cli").textValue())).json();
      assertThat(top.findValuesAsText("latent")).isNotEmpty().isSubsetOf(active(latents));
      JsonNode losses = running.call("losses", Optional.of(body));
      JsonNode loss = Cli.run(words(losses.at("/same/cli").textValue())).json();
      assertThat(loss.at("/texts/0/cross_entropy")).isEqualTo(losses.at("/clean/loss"));
      assertThat(loss.at("/texts/0/spliced/512/kl")).isEqualTo(losses.at("/widths/2/kl"));
      body.put("positions", "2-3,5");
      body.putArray("edits").addObject().put("kind", "scale").put("latent", 22).put("value", 2.5);
      JsonNode changed = running.call("intervene", Optional.of(body));
      JsonNode cli = Cli.run(words(changed.at("/same/cli").textValue())).json();
      assertThat(cli.at("/texts/0/changed/cross_entropy")).isEqualTo(changed.at("/changed/loss"));
      assertThat(cli.at("/texts/0/changed/kl")).isEqualTo(changed.at("/changed/kl"));
    }
  }

  /** All latents that are active somewhere. */
  private static List<String> active(JsonNode answer) {
    List<String> latents = new ArrayList<>();
    answer
        .get("latents")
        .forEach(token -> token.forEach(pair -> latents.add(pair.get(0).asText())));
    return latents;
  }

  @Test
  void corpus_isReadInTheBackground_andExploreGivesTheSame() throws Exception {
    Path corpus = folder.resolve("a corpus.txt");
    Files.writeString(corpus, "The cat sat on the mat. It was a building of stone. ".repeat(12));
    Path explored = folder.resolve("explored.json");
    JsonNode fromTexts;
    String cli;
    try (Running running = start(RELEASE, SAE_ID, "--text-file", corpus)) {
      assertThat(ready(running).at("/corpus/source").textValue()).isEqualTo("a corpus.txt");
      JsonNode latent = running.call("latent?latent=22&sae=" + KEY, Optional.empty());
      fromTexts = latent.get("corpus");
      cli = latent.at("/same/cli").textValue();
    }
    Cli.Result result = Cli.run(words(cli));
    assertThat(result.code()).as(result.err()).isZero();
    Files.writeString(explored, result.out());
    try (Running running = start("--explore", explored)) {
      assertThat(ready(running).at("/corpus/state").textValue()).isEqualTo("ready");
      ObjectNode fromFile =
          (ObjectNode) running.call("latent?latent=22&sae=" + KEY, Optional.empty()).get("corpus");
      fromFile.put("source", "a corpus.txt");
      assertThat(fromFile).isEqualTo(fromTexts);
      assertThat(fromFile.get("firings").intValue()).isPositive();
    }
  }

  @Test
  void encoder_hasLatents_andSaysWhatItHasNot() throws Exception {
    Path corpus = folder.resolve("corpus.jsonl");
    Files.writeString(corpus, "\"orderer: someone who places an order\"\n\"an order to buy\"\n");
    String release = "all-minilm-l6-v2-matryoshka-demo";
    String key = release + "/last_hidden_state";
    try (Running running =
        start(
            release,
            "last_hidden_state",
            "--model",
            MiniLm.folder(),
            "--text-file",
            corpus,
            "--labels-file",
            folder.resolve("labels.csv"))) {
      JsonNode sae = ready(running);
      assertThat(sae.at("/model/encoder").booleanValue()).isTrue();
      assertThat(sae.at("/corpus/state").textValue())
          .as(sae.at("/corpus/message").asText())
          .isEqualTo("ready");
      ObjectNode body =
          JSON.createObjectNode().put("sae", key).put("text", "orderer: someone who buys");
      JsonNode latents = running.call("latents", Optional.of(body));
      assertThat(latents.get("tokens").findValuesAsText("text")).contains("[CLS]", "##er", "[SEP]");
      assertThat(latents.at("/tokens/0/counted").booleanValue()).isFalse();
      assertThat(latents.at("/widths/3/explained_variance").doubleValue()).isBetween(0.5, 1.0);
      for (String call : List.of("losses", "intervene", "generate")) {
        JsonNode refused = running.call(call, Optional.of(body));
        assertThat(refused.at("/error/code").textValue()).isEqualTo("does_not_fit");
        assertThat(refused.at("/error/message").textValue()).contains("is an encoder");
      }
      int latent = latents.at("/latents/1/0/0").intValue();
      JsonNode page = running.call("latent?latent=" + latent + "&sae=" + key, Optional.empty());
      assertThat(page.get("logits").isNull()).isTrue();
      assertThat(page.at("/corpus/contexts/0/tokens").toString()).contains("order");
      ObjectNode compared = JSON.createObjectNode().put("text", "an order");
      compared.putObject("left").put("sae", key).put("width", 128);
      compared.putObject("right").put("sae", key);
      JsonNode comparison = running.call("compare", Optional.of(compared));
      assertThat(comparison.get("clean").isNull()).isTrue();
      assertThat(comparison.at("/left/explained_variance").isNumber()).isTrue();
    }
  }

  @Test
  void severalSaes_shareTheModel_andArePrefixedAlike() throws Exception {
    try (Running running =
        start(
            RELEASE,
            SAE_ID,
            "all-minilm-l6-v2-matryoshka-demo",
            "last_hidden_state",
            "--prefix",
            "512",
            "--offline")) {
      JsonNode saes = running.call("state", Optional.empty()).get("saes");
      assertThat(saes.at("/0/key").textValue()).isEqualTo(KEY + " (first 512)");
      assertThat(saes.at("/0/d_sae").intValue()).isEqualTo(512);
      assertThat(saes.at("/1/model").isNull()).isTrue();
      assertThat(saes.at("/1/no_model").textValue()).isNotEmpty();
    }
  }

  @Test
  void taken_portThatWasNamed_isAnError() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, java.net.InetAddress.getLoopbackAddress())) {
      Cli.Result result = Cli.run("serve", "--port", taken.getLocalPort());
      assertThat(result.code()).isEqualTo(7);
      assertThat(result.err())
          .contains("cannot listen on 127.0.0.1, port " + taken.getLocalPort(), "--port");
    }
  }

  @Test
  void wrongUse_isNamed() throws IOException {
    Path json = Files.writeString(folder.resolve("a.json"), "{\"a\": 1}");
    assertThat(Cli.run("serve", RELEASE, SAE_ID, "other").err())
        .contains("expected RELEASE and SAE_ID of each further SAE, got [other]");
    assertThat(Cli.run("serve", "--explore", json, "--text-file", json).err())
        .contains("either --explore or --text-file");
    assertThat(Cli.run("serve", "--port", "70000").err()).contains("expected 0 to 65535");
    assertThat(Cli.run("serve", "--text-file", folder.resolve("none.txt")).code()).isEqualTo(3);
    Cli.Result other = Cli.run("serve", "--explore", json, "--port", "0");
    assertThat(other.code()).isEqualTo(4);
    assertThat(other.err()).contains("expected the result of 'explore --json'");
  }

  @Test
  void labelsAreKept_inTheUsersDataFolder() {
    Path home = folder.toAbsolutePath();
    assertThat(DataFolder.labels("owner/repo/a b", Map.of("HOME", home.toString())))
        .contains(home.resolve(".local/share/matryoshka-sae/labels/owner_repo_a_b.json"));
    assertThat(DataFolder.labels("x", Map.of("XDG_DATA_HOME", home.toString())))
        .contains(home.resolve("matryoshka-sae/labels/x.json"));
  }

  @Test
  void browsers_areThoseOfTheSystem() {
    assertThat(Browser.command("Linux", "http://a/")).containsExactly("xdg-open", "http://a/");
    assertThat(Browser.command("Mac OS X", "http://a/")).containsExactly("open", "http://a/");
    assertThat(Browser.command("Windows 11", "http://a/")).startsWith("rundll32");
  }
}
