package io.matryoshka.sae.labels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Labels from a server on loopback that behaves like the bucket and the API, with faults. */
class NeuronpediaLabelsTest {

  private static final String ID = "gemma-2-2b/12-res";
  private static final String PREFIX = "v1/" + ID + "/explanations/";

  @TempDir private Path cache;

  private final Map<String, byte[]> answers = new LinkedHashMap<>();
  private final ConcurrentLinkedQueue<String> requests = new ConcurrentLinkedQueue<>();
  private final ConcurrentLinkedQueue<Integer> faults = new ConcurrentLinkedQueue<>();
  private HttpServer server;
  private LabelOptions options;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(Executors.newCachedThreadPool(NeuronpediaLabelsTest::daemon));
    server.createContext("/", this::answer);
    server.start();
    URI base = URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/");
    options =
        LabelOptions.in(cache)
            .withAddresses(base, base.resolve("web/"))
            .withTimeout(Duration.ofSeconds(30));
  }

  private static Thread daemon(Runnable task) {
    Thread thread = new Thread(task);
    thread.setDaemon(true);
    return thread;
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      String request = exchange.getRequestURI().toString();
      requests.add(request);
      Integer fault = faults.poll();
      byte[] body = answers.get(request);
      if (fault != null && fault == 0) {
        exchange.sendResponseHeaders(200, 100);
        exchange.getResponseBody().write(1);
        exchange.getResponseBody().flush();
        sleep();
      } else if (fault != null) {
        exchange.sendResponseHeaders(fault, -1);
      } else if (body == null) {
        exchange.sendResponseHeaders(404, -1);
      } else {
        exchange.sendResponseHeaders(200, body.length == 0 ? -1 : body.length);
        exchange.getResponseBody().write(body);
      }
    }
  }

  private static void sleep() throws IOException {
    try {
      Thread.sleep(10_000);
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  private void list(String token, String next, String... keys) {
    StringBuilder xml = new StringBuilder("<?xml version=\"1.0\"?><ListBucketResult>");
    xml.append("<Prefix>").append(PREFIX).append("</Prefix>");
    for (String key : keys) {
      xml.append("<Contents><Key>").append(key).append("</Key><Size>1</Size></Contents>");
    }
    if (!next.isEmpty()) {
      xml.append("<NextContinuationToken>").append(next).append("</NextContinuationToken>");
    }
    put(query(token), xml.append("</ListBucketResult>").toString());
  }

  private static String query(String token) {
    String query = "/?list-type=2&prefix=" + PREFIX.replace("/", "%2F");
    return token.isEmpty() ? query : query + "&continuation-token=" + token;
  }

  private void put(String request, String text) {
    answers.put(request, text.getBytes(StandardCharsets.UTF_8));
  }

  private void batch(String name, String... lines) throws IOException {
    answers.put("/" + PREFIX + name, gzip(String.join("\n", lines)));
  }

  private static byte[] gzip(String text) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(bytes)) {
      gzip.write(text.getBytes(StandardCharsets.UTF_8));
    }
    return bytes.toByteArray();
  }

  private static String line(int latent, String text) {
    return """
        {"modelId": "gemma-2-2b", "layer": "12-res", "index": "%d", "description": "%s",\
         "typeName": "oai_token-act-pair", "explanationModelName": "gpt-4o-mini",\
         "embedding": [0.1, 0.2, [1, {"index": 9}]], "notes": null, "authorId": "a1",\
         "createdAt": "2024-09-17T10:00:00Z"}"""
        .formatted(latent, text);
  }

  private void twoPages() throws IOException {
    list("", "more==", PREFIX + "batch-0.jsonl.gz");
    list("more%3D%3D", "", PREFIX + "batch-1.jsonl.gz", PREFIX + "readme.txt");
    batch("batch-0.jsonl.gz", line(0, "colours"), line(3, "first"), line(3, "second"));
    batch("batch-1.jsonl.gz", line(1500, "verbs"), line(1501, "  "));
  }

  @Test
  void export_isFetchedOnceAndRead() throws IOException {
    twoPages();
    try (Labels labels = Labels.neuronpedia(ID, options)) {
      assertThat(labels.find(0))
          .contains(
              new Label(
                  0,
                  "colours",
                  Optional.of("gpt-4o-mini"),
                  Optional.of("oai_token-act-pair"),
                  Optional.of("a1"),
                  Optional.of("2024-09-17")));
      assertThat(labels.find(0).orElseThrow().provenance()).isEqualTo("gpt-4o-mini, 2024-09-17");
      assertThat(labels.find(3).orElseThrow().text()).isEqualTo("first");
      assertThat(labels.find(1500).orElseThrow().text()).isEqualTo("verbs");
      for (int none : new int[] {-1, 1, 1501, 2000, Integer.MAX_VALUE}) {
        assertThat(labels.find(none)).isEmpty();
      }
      assertThat(labels.source()).isEqualTo("Neuronpedia, " + ID);
    }
    assertThat(requests).hasSize(4);
    try (Labels labels = Labels.neuronpedia(ID, options.withOffline(true))) {
      assertThat(labels.find(3).orElseThrow().text()).isEqualTo("first");
    }
    assertThat(requests).hasSize(4);
  }

  @Test
  void export_missing_isReplacedByTheApi() throws IOException {
    put(
        "/web/api/feature/" + ID + "/7",
        """
        {"index": "7", "explanations": [{"description": "", "id": "x"},
          {"description": "dates", "explanationModelName": "claude", "typeName": "t"}]}""");
    try (Labels labels = Labels.neuronpedia(ID, options)) {
      assertThat(labels.find(7).orElseThrow().text()).isEqualTo("dates");
      assertThat(labels.find(7).orElseThrow().model()).contains("claude");
      assertThat(labels.find(8)).isEmpty();
      assertThat(labels.find(8)).isEmpty();
    }
    assertThat(requests.stream().filter(r -> r.contains("/api/"))).hasSize(2);
    assertNoFiles();
  }

  @Test
  void faults_thatPass_areTriedAgain() throws IOException {
    twoPages();
    faults.addAll(List.of(503, 429));
    try (Labels labels = Labels.neuronpedia(ID, options)) {
      assertThat(labels.find(0)).isPresent();
    }
    assertThat(requests).hasSize(6);
  }

  @Test
  void answer_thatStalls_isLeftAndTriedAgain() throws IOException {
    twoPages();
    faults.add(0);
    try (Labels labels = Labels.neuronpedia(ID, options.withTimeout(Duration.ofSeconds(2)))) {
      assertThat(labels.find(0)).isPresent();
    }
  }

  @Test
  void server_thatFails_givesNoLabelsAndIsAskedNoMore() throws IOException {
    faults.addAll(List.of(500, 500, 500, 500, 500, 500));
    try (Labels labels = Labels.neuronpedia(ID, options)) {
      assertThat(labels.find(0)).isEmpty();
      int before = requests.size();
      assertThat(labels.find(1)).isEmpty();
      assertThat(requests).hasSize(before);
    }
  }

  @Test
  void file_damaged_leavesNothingInTheCache() throws IOException {
    twoPages();
    byte[] whole = gzip(line(0, "colours".repeat(100)));
    for (byte[] damaged :
        List.of(
            Arrays.copyOf(whole, whole.length / 2),
            "no gzip".getBytes(StandardCharsets.UTF_8),
            gzip("{\"index\": "),
            gzip("[1]"),
            gzip("{\"description\": \"x\", \"index\": \"99999999999\"}"),
            gzip("{\"description\": \"x\", \"index\": \"-1\"}"),
            gzip("{\"description\": \"x\"}"))) {
      answers.put("/" + PREFIX + "batch-1.jsonl.gz", damaged);
      try (Labels labels = Labels.neuronpedia(ID, options)) {
        assertThat(labels.find(0)).isEmpty();
      }
      assertNoFiles();
    }
  }

  private void assertNoFiles() throws IOException {
    try (Stream<Path> files = Files.walk(cache)) {
      assertThat(files.filter(Files::isRegularFile)).isEmpty();
    }
  }

  @Test
  void file_thatUnpacksToMuch_isRefused() throws IOException {
    list("", "", PREFIX + "batch-0.jsonl.gz");
    byte[] bomb = gzip(" ".repeat(1 << 20));
    ByteArrayOutputStream many = new ByteArrayOutputStream();
    for (int i = 0; i < 600; i++) {
      many.write(bomb);
    }
    answers.put("/" + PREFIX + "batch-0.jsonl.gz", many.toByteArray());
    assertThatThrownBy(
            () ->
                new NeuronpediaExport(new LabelHttp(options.timeout()), options.exports())
                    .fetch(ID, cache.resolve("x")))
        .isInstanceOf(LabelException.class)
        .hasMessageContaining("unpacks to more than");
  }

  @Test
  void listing_hostile_isRefused() throws IOException {
    String entity = "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><x><Key>&e;</Key></x>";
    Map<String, String> hostile = new LinkedHashMap<>();
    hostile.put("<x><Key>v1/other/file</Key></x>", "was not asked for");
    hostile.put(entity, "not XML");
    hostile.put("<x><Key>", "not XML");
    hostile.put("<x><NextContinuationToken>a</NextContinuationToken></x>", "no end of files");
    for (Map.Entry<String, String> entry : hostile.entrySet()) {
      put(query(""), entry.getKey());
      assertThatThrownBy(
              () -> ExportListing.list(new LabelHttp(options.timeout()), options.exports(), PREFIX))
          .isInstanceOf(LabelException.class)
          .hasMessageContaining(entry.getValue());
    }
  }

  @Test
  void offline_withoutCache_isRefusedWithAdvice() {
    assertThatThrownBy(() -> Labels.neuronpedia(ID, options.withOffline(true)))
        .isInstanceOf(LabelException.class)
        .hasMessageContaining("not in the cache");
    assertThat(requests).isEmpty();
  }

  @Test
  void id_malformed_isRefused() {
    for (String id : List.of("x", "a/b/c", "../b", "a/..", "a /b")) {
      assertThatThrownBy(() -> Labels.neuronpedia(id, options))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("model/sae");
    }
  }

  @Test
  void cache_damaged_isRefusedWithAdvice() throws IOException {
    twoPages();
    Labels.neuronpedia(ID, options).close();
    Path file = cache.resolve("labels/neuronpedia").resolve(ID).resolve("labels.bin");
    byte[] bytes = Files.readAllBytes(file);
    for (int at : new int[] {bytes.length - 1, bytes.length - 12, bytes.length - 32}) {
      byte[] changed = bytes.clone();
      changed[at] ^= 0x55;
      Files.write(file, changed);
      assertThatThrownBy(() -> Labels.neuronpedia(ID, options))
          .isInstanceOf(LabelException.class)
          .hasMessageContaining("delete it");
    }
    Files.write(file, new byte[3]);
    assertThatThrownBy(() -> Labels.neuronpedia(ID, options)).hasMessageContaining("delete it");
  }
}
