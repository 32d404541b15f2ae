package io.matryoshka.sae.internal.serve.page;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Serves the page and answers its calls as docs/serve-api.md says, with numbers made from the text.
 * For what a true server does only by chance: answers that wait, failures, an end and a new start.
 */
final class StandIn implements AutoCloseable {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int MOST_ATTEMPTS = 100;
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private static final String POLICY =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:;"
          + " font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none';"
          + " frame-ancestors 'none'";

  private static final Map<String, String> TYPES =
      Map.of(
          "html",
          "text/html; charset=utf-8",
          "js",
          "text/javascript",
          "css",
          "text/css",
          "svg",
          "image/svg+xml");

  /** An answer that is no result. */
  record Failure(int status, String code, String message) {}

  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final Answers answers = new Answers();
  private final Map<String, Failure> failures = new ConcurrentHashMap<>();

  /** The calls so far, as path and body or query. */
  private final List<String> calls = new CopyOnWriteArrayList<>();

  private volatile Optional<String> token = Optional.empty();
  private volatile int linesBeforeHold = Integer.MAX_VALUE;
  private volatile CountDownLatch lines = new CountDownLatch(0);
  private final AtomicInteger inHand = new AtomicInteger();
  private HttpServer server;

  StandIn() throws IOException {
    start(0);
  }

  private void start(int port) throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
    server.setExecutor(threads);
    server.createContext("/", this::answer);
    server.start();
  }

  URI address() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/");
  }

  Answers answers() {
    return answers;
  }

  /** Ends the server; {@link #startAgain} gives it its old address. */
  void stop() {
    server.stop(0);
    releaseLines();
  }

  void startAgain() throws IOException, InterruptedException {
    int port = server.getAddress().getPort();
    for (int attempt = 1; ; attempt++) {
      try {
        start(port);
        return;
      } catch (BindException e) { // A connection of somebody else may hold the port for a while.
        if (attempt == MOST_ATTEMPTS) {
          throw e;
        }
        Thread.sleep(100);
      }
    }
  }

  /** Lets the next continuations wait after some lines, until {@link #releaseLines}. */
  void holdLinesAfter(int count) {
    lines = new CountDownLatch(1);
    linesBeforeHold = count;
  }

  void releaseLines() {
    linesBeforeHold = Integer.MAX_VALUE;
    lines.countDown();
  }

  /** Lets calls of a path fail, until {@code heal}. */
  void fail(String path, int status, String code, String message) {
    failures.put(path, new Failure(status, code, message));
  }

  /** Asks for a token from now on. */
  void ask(String wanted) {
    token = Optional.of(wanted);
  }

  /** Forgets the calls so far, also those of a page just left that are still on their way. */
  void heal() throws IOException, InterruptedException {
    releaseLines();
    try (InputStream fence = address().toURL().openStream()) {
      fence.readAllBytes();
    }
    while (inHand.get() > 0) {
      Thread.sleep(5);
    }
    failures.clear();
    calls.clear();
    token = Optional.empty();
    answers.reset();
  }

  long calls(String path) {
    return calls.stream().filter(call -> call.startsWith(path + " ")).count();
  }

  /** Waits until the last call of a path has something in its body or query. */
  void awaitCall(String path, String part) throws InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!lastCall(path).contains(part)) {
      if (System.nanoTime() > end) {
        throw new AssertionError("never called: " + path + " with " + part + ", got " + calls);
      }
      Thread.sleep(10);
    }
  }

  String lastCall(String path) {
    return calls.stream()
        .filter(call -> call.startsWith(path + " "))
        .reduce((first, second) -> second)
        .orElse("");
  }

  private void answer(HttpExchange exchange) throws IOException {
    inHand.incrementAndGet();
    try (exchange) {
      String path = exchange.getRequestURI().getPath();
      if (path.startsWith("/api/")) {
        api(exchange, path);
      } else {
        file(exchange, path.equals("/") ? "/index.html" : path);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      inHand.decrementAndGet();
    }
  }

  private void file(HttpExchange exchange, String path) throws IOException {
    String resource = "/io/matryoshka/sae/internal/serve/page" + path;
    String type = TYPES.get(path.substring(path.lastIndexOf('.') + 1));
    try (InputStream in = StandIn.class.getResourceAsStream(resource)) {
      if (in == null || type == null) {
        exchange.sendResponseHeaders(404, -1);
        return;
      }
      exchange.getResponseHeaders().set("Content-Security-Policy", POLICY);
      exchange.getResponseHeaders().set("X-Content-Type-Options", "nosniff");
      exchange.getResponseHeaders().set("Cache-Control", "no-store");
      send(exchange, 200, type, in.readAllBytes());
    }
  }

  private void api(HttpExchange exchange, String path) throws IOException, InterruptedException {
    String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
    JsonNode request =
        body.isEmpty()
            ? JSON.valueToTree(query(exchange.getRequestURI().getRawQuery()))
            : JSON.readTree(body);
    calls.add(path + " " + exchange.getRequestMethod() + " " + request);
    Optional<Failure> failure = refuse(exchange, path);
    if (failure.isPresent()) {
      Failure f = failure.get();
      Map<String, String> error = Map.of("code", f.code(), "message", f.message());
      json(exchange, f.status(), Map.of("error", error));
    } else if (path.equals("/api/generate")) {
      generate(exchange, request);
    } else if (path.equals("/api/export")) {
      String format = request.get("format").asText();
      String name = request.get("view").asText() + "." + format;
      exchange
          .getResponseHeaders()
          .set("Content-Disposition", "attachment; filename=\"" + name + "\"");
      send(exchange, 200, "text/plain", body.getBytes(StandardCharsets.UTF_8));
    } else {
      json(exchange, 200, answers.answer(exchange.getRequestMethod(), path, request));
    }
  }

  private Optional<Failure> refuse(HttpExchange exchange, String path) {
    if (!"1".equals(exchange.getRequestHeaders().getFirst("X-Matryoshka"))) {
      return Optional.of(new Failure(403, "forbidden", "no X-Matryoshka"));
    }
    String given = exchange.getRequestHeaders().getFirst("Authorization");
    if (token.isPresent() && !("Bearer " + token.get()).equals(given)) {
      return Optional.of(new Failure(401, "token_needed", "the token is missing or wrong"));
    }
    return Optional.ofNullable(failures.get(path));
  }

  private static Map<String, String> query(String query) {
    Map<String, String> found = new HashMap<>();
    for (String pair : query == null ? new String[0] : query.split("&")) {
      String[] parts = pair.split("=", 2);
      found.put(parts[0], URLDecoder.decode(parts[1], StandardCharsets.UTF_8));
    }
    return found;
  }

  private void generate(HttpExchange exchange, JsonNode request)
      throws IOException, InterruptedException {
    exchange.getResponseHeaders().set("Content-Type", "application/x-ndjson");
    exchange.sendResponseHeaders(200, 0);
    OutputStream out = exchange.getResponseBody();
    int sent = 0;
    for (Object line : answers.continuation(request)) {
      if (sent++ == linesBeforeHold) {
        lines.await();
      }
      out.write(JSON.writeValueAsBytes(line));
      out.write('\n');
      out.flush();
    }
  }

  private static void json(HttpExchange exchange, int status, Object answer) throws IOException {
    send(exchange, status, "application/json", JSON.writeValueAsBytes(answer));
  }

  private static void send(HttpExchange exchange, int status, String type, byte[] body)
      throws IOException {
    exchange.getResponseHeaders().set("Content-Type", type);
    exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
    exchange.getResponseBody().write(body);
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
