package io.matryoshka.sae.internal.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/** A page of a headless Chromium, driven over the browser's DevTools protocol. */
public final class Chromium implements AutoCloseable {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long PATIENCE_SECONDS = 120;

  /** Where Debian, Ubuntu and Google put it. */
  private static final List<String> USUAL =
      List.of("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome");

  private final Optional<Process> process;
  private final URI browser;
  private final WebSocket socket;
  private final Map<Integer, CompletableFuture<JsonNode>> replies = new ConcurrentHashMap<>();
  private final AtomicInteger lastId = new AtomicInteger();

  /** Errors and warnings of the console, exceptions, and requests that leave the machine. */
  private final List<String> complaints = new CopyOnWriteArrayList<>();

  /**
   * Documents by the ids that the browser gives them, complete once they are loaded. The end of an
   * earlier document, which may come after the start of the next one, is told apart by its id.
   */
  private final Map<String, CompletableFuture<Void>> documents = new ConcurrentHashMap<>();

  /** Where requests may go, beside what lies in the page itself. */
  private volatile String home = "file:";

  private Chromium(Optional<Process> process, URI page) {
    this.process = process;
    this.browser = URI.create("http://" + page.getAuthority());
    this.socket =
        HttpClient.newHttpClient()
            .newWebSocketBuilder()
            .buildAsync(page, new Messages())
            .orTimeout(PATIENCE_SECONDS, TimeUnit.SECONDS)
            .join();
    for (String domain : List.of("Page", "Runtime", "Log", "Network")) {
      call(domain + ".enable", JSON.createObjectNode());
    }
    call("Page.setLifecycleEventsEnabled", JSON.createObjectNode().put("enabled", true));
  }

  /** The browser that the property names, else one where systems put it. */
  public static Optional<Path> find() {
    String named = System.getProperty("browser");
    return (named == null ? USUAL : List.of(named))
        .stream().map(Path::of).filter(Files::isExecutable).findFirst();
  }

  public static Chromium start(Path browser, Path profile)
      throws IOException, InterruptedException {
    Path log = profile.resolve("stderr.log");
    Process process =
        new ProcessBuilder(
                browser.toString(),
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--disable-dev-shm-usage",
                "--remote-debugging-port=0",
                "--user-data-dir=" + Files.createDirectories(profile.resolve("data")),
                "about:blank")
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    try {
      return new Chromium(Optional.of(process), pageAddress(process, profile.resolve("data"), log));
    } catch (IOException | InterruptedException | RuntimeException e) {
      process.destroyForcibly();
      throw e;
    }
  }

  /** Chromium writes its port to a file; its list of targets names the socket of the page. */
  private static URI pageAddress(Process process, Path data, Path log)
      throws IOException, InterruptedException {
    Path portFile = data.resolve("DevToolsActivePort");
    long end = System.nanoTime() + Duration.ofSeconds(PATIENCE_SECONDS).toNanos();
    while (System.nanoTime() < end && process.isAlive()) {
      if (Files.exists(portFile) && Files.readAllLines(portFile).size() >= 2) {
        String port = Files.readAllLines(portFile).get(0);
        HttpRequest request =
            HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/json/list")).build();
        JsonNode targets =
            JSON.readTree(
                HttpClient.newHttpClient()
                    .send(request, HttpResponse.BodyHandlers.ofString())
                    .body());
        for (JsonNode target : targets) {
          if (target.path("type").asText().equals("page")) {
            return URI.create(target.get("webSocketDebuggerUrl").asText());
          }
        }
      }
      Thread.sleep(50);
    }
    throw new IOException("the browser did not start:\n" + Files.readString(log));
  }

  /** Opens another page of the same browser, which ends with the first one. */
  public Chromium newTab() throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(browser.resolve("/json/new?about:blank"))
            .PUT(HttpRequest.BodyPublishers.noBody())
            .build();
    String target =
        HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body();
    String socket = JSON.readTree(target).get("webSocketDebuggerUrl").asText();
    return new Chromium(Optional.empty(), URI.create(socket));
  }

  /** Shows this page; the timers of a page behind another one run slowly. */
  public void bringToFront() {
    call("Page.bringToFront", JSON.createObjectNode());
  }

  /** Sets the size of the screen, in CSS pixels, and the preferred colours. */
  public void screen(int width, int height, boolean phone, boolean dark) {
    call(
        "Emulation.setDeviceMetricsOverride",
        JSON.createObjectNode()
            .put("width", width)
            .put("height", height)
            .put("deviceScaleFactor", 1)
            .put("mobile", phone));
    ObjectNode media = JSON.createObjectNode();
    media
        .putArray("features")
        .addObject()
        .put("name", "prefers-color-scheme")
        .put("value", dark ? "dark" : "light");
    call("Emulation.setEmulatedMedia", media);
  }

  public void open(Path page) throws TimeoutException, InterruptedException, ExecutionException {
    open(page.toUri(), "file:");
  }

  /** Opens a page of a server; a request to anything else is a complaint. */
  public void open(URI page) throws TimeoutException, InterruptedException, ExecutionException {
    open(page, page.resolve("/").toString());
  }

  private void open(URI page, String home)
      throws TimeoutException, InterruptedException, ExecutionException {
    complaints.clear();
    this.home = home;
    JsonNode document = call("Page.navigate", JSON.createObjectNode().put("url", page.toString()));
    document(document.get("loaderId").asText()).get(PATIENCE_SECONDS, TimeUnit.SECONDS);
  }

  private CompletableFuture<Void> document(String id) {
    return documents.computeIfAbsent(id, unknown -> new CompletableFuture<>());
  }

  /** Runs a script in the page and returns its value. */
  public JsonNode run(String script) {
    JsonNode result =
        call(
            "Runtime.evaluate",
            JSON.createObjectNode()
                .put("expression", script)
                .put("returnByValue", true)
                .put("awaitPromise", true));
    if (result.has("exceptionDetails")) {
      throw new IllegalStateException(result.get("exceptionDetails").toString());
    }
    return result.path("result").path("value");
  }

  public void screenshot(Path target) throws IOException {
    JsonNode shot = call("Page.captureScreenshot", JSON.createObjectNode().put("format", "png"));
    Files.write(target, Base64.getDecoder().decode(shot.get("data").asText()));
  }

  public List<String> complaints() {
    return new ArrayList<>(complaints);
  }

  /** Calls a method of the DevTools protocol. */
  public JsonNode call(String method, ObjectNode parameters) {
    JsonNode answer = send(method, parameters).orTimeout(PATIENCE_SECONDS, TimeUnit.SECONDS).join();
    if (answer.has("error")) {
      throw new IllegalStateException(method + ": " + answer.get("error"));
    }
    return answer.get("result");
  }

  private CompletableFuture<JsonNode> send(String method, ObjectNode parameters) {
    int id = lastId.incrementAndGet();
    CompletableFuture<JsonNode> reply = new CompletableFuture<>();
    replies.put(id, reply);
    ObjectNode message = JSON.createObjectNode().put("id", id).put("method", method);
    message.set("params", parameters);
    socket.sendText(message.toString(), true).join();
    return reply;
  }

  private void onMessage(JsonNode message) {
    if (message.has("id")) {
      replies.remove(message.get("id").asInt()).complete(message);
      return;
    }
    JsonNode parameters = message.path("params");
    switch (message.path("method").asText()) {
      case "Page.lifecycleEvent" -> {
        if (parameters.path("name").asText().equals("load")) {
          document(parameters.get("loaderId").asText()).complete(null);
        }
      }
      case "Runtime.exceptionThrown" -> complaints.add(parameters.toString());
      case "Runtime.consoleAPICalled" -> {
        if (!List.of("log", "info", "debug").contains(parameters.path("type").asText())) {
          complaints.add(parameters.toString());
        }
      }
      case "Log.entryAdded" -> complaints.add(parameters.toString());
      case "Network.requestWillBeSent" -> {
        String url = parameters.at("/request/url").asText();
        if (!url.startsWith(home) && !url.matches("(?s)(data|about|blob):.*")) {
          complaints.add("request to " + url);
        }
      }
      default -> {
        // Other events tell nothing about the page's health.
      }
    }
  }

  @Override
  public void close() {
    if (process.isEmpty()) {
      send("Page.close", JSON.createObjectNode());
    }
    socket.abort();
    process.ifPresent(Chromium::end);
  }

  private static void end(Process process) {
    List<ProcessHandle> children = process.descendants().toList();
    process.destroy();
    try {
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
    children.forEach(ProcessHandle::destroyForcibly);
  }

  /** Joins the parts of a message. */
  private final class Messages implements WebSocket.Listener {

    private final StringBuilder text = new StringBuilder();

    @Override
    public CompletionStage<?> onText(WebSocket from, CharSequence data, boolean last) {
      text.append(data);
      if (last) {
        String whole = text.toString();
        text.setLength(0);
        try {
          onMessage(JSON.readTree(whole));
        } catch (IOException e) {
          complaints.add("message that is not JSON: " + whole);
        }
      }
      from.request(1);
      return null;
    }
  }
}
