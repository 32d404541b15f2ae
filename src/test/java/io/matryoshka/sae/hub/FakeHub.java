package io.matryoshka.sae.hub;

import io.matryoshka.sae.hub.LoopbackServer.Request;
import io.matryoshka.sae.hub.LoopbackServer.Response;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A server on loopback that answers as the Hugging Face Hub does: small files directly, large ones
 * by a redirect to a second server under another host name, which stands for the CDN. It counts
 * what it serves, remembers who sent a token where, and misbehaves on demand.
 *
 * <pre>{@code
 * try (FakeHub hub = FakeHub.start()) {
 *   hub.file("owner/name", "cfg.json", bytes).lfs("owner/name", "sae_weights.safetensors", weights);
 *   HubClient client = HubClient.of(hub.client(cacheDir));
 * }
 * }</pre>
 */
public final class FakeHub implements AutoCloseable {
  /** A request as it arrived: {@code server} is {@code hub} or {@code cdn}. */
  public record Seen(
      String server, String method, String path, Optional<String> range, Optional<String> token) {}

  private record Entry(FakeContent content, String etag, boolean lfs) {}

  private static final class Repo {
    private final Map<String, String> refs = new ConcurrentHashMap<>();
    private final Map<String, Map<String, Entry>> commits = new ConcurrentHashMap<>();
    private volatile Optional<String> requiredToken = Optional.empty();
    private volatile boolean gated;
  }

  private final Map<String, Repo> repos = new ConcurrentHashMap<>();
  private final Map<String, String> renamed = new ConcurrentHashMap<>();
  private final Map<String, Entry> linked = new ConcurrentHashMap<>();
  private final List<Seen> requests = new CopyOnWriteArrayList<>();
  private final AtomicLong bodyBytes = new AtomicLong();
  private final AtomicLong signature = new AtomicLong();
  private final Deque<Fault> headFaults = new ArrayDeque<>();
  private final Deque<Fault> bodyFaults = new ArrayDeque<>();
  private volatile Optional<Fault> everyBody = Optional.empty();
  private volatile Optional<Fault> everyHead = Optional.empty();
  private final LoopbackServer hub;
  private final LoopbackServer cdn;
  private long commitCount;

  private FakeHub() throws IOException {
    this.hub = new LoopbackServer("localhost", this::serveHub);
    this.cdn = new LoopbackServer("127.0.0.1", this::serveCdn);
  }

  /** Starts both servers on free ports. */
  public static FakeHub start() throws IOException {
    return new FakeHub();
  }

  /** Returns what {@code HF_ENDPOINT} must be. */
  public URI endpoint() {
    return hub.uri();
  }

  int cdnPort() {
    return cdn.uri().getPort();
  }

  /**
   * Returns a builder of clients for this server, with short waits, no token, and no other setting.
   */
  public HubOptions client(Path cacheDir) {
    return HubOptions.fromEnvironment(
            Map.of("HF_ENDPOINT", endpoint().toString(), "HF_HUB_CACHE", cacheDir.toString()))
        .withoutToken()
        .retries(3, java.time.Duration.ofMillis(5));
  }

  /** Publishes a small file on {@code main}, as a new commit. */
  public FakeHub file(String repoId, String filename, byte[] content) {
    return publish(repoId, "main", filename, FakeContent.of(content), false);
  }

  /** Publishes a large file on {@code main}, as a new commit. */
  public FakeHub lfs(String repoId, String filename, byte[] content) {
    return publish(repoId, "main", filename, FakeContent.of(content), true);
  }

  /** Publishes a large file from disk on {@code main}, as a new commit. */
  public FakeHub lfs(String repoId, String filename, Path content) throws IOException {
    return publish(repoId, "main", filename, FakeContent.of(content), true);
  }

  /** Publishes a large file of made-up bytes on {@code main}, as a new commit. */
  public FakeHub generated(String repoId, String filename, long size) {
    return publish(repoId, "main", filename, FakeContent.generated(size, size), true);
  }

  synchronized FakeHub publish(
      String repoId, String revision, String filename, FakeContent content, boolean lfs) {
    return publish(repoId, revision, filename, content, content.etag(lfs), lfs);
  }

  /** Publishes a file under an etag of one's own choice, as mirrors do. */
  synchronized FakeHub publish(
      String repoId,
      String revision,
      String filename,
      FakeContent content,
      String etag,
      boolean lfs) {
    Repo repo = repos.computeIfAbsent(repoId, id -> new Repo());
    String commit = String.format("%040x", 0xabc0000L + ++commitCount);
    Map<String, Entry> files = new LinkedHashMap<>();
    Optional.ofNullable(repo.refs.get(revision)).map(repo.commits::get).ifPresent(files::putAll);
    files.put(filename, new Entry(content, etag, lfs));
    repo.commits.put(commit, Map.copyOf(files));
    repo.refs.put(revision, commit);
    return this;
  }

  /** Changes a file on {@code main} without a new commit, which a real Hub never does. */
  public synchronized FakeHub tamper(String repoId, String filename, byte[] content) {
    Repo repo = repos.get(repoId);
    String commit = repo.refs.get("main");
    Map<String, Entry> files = new LinkedHashMap<>(repo.commits.get(commit));
    boolean lfs = files.get(filename).lfs();
    FakeContent changed = FakeContent.of(content);
    files.put(filename, new Entry(changed, changed.etag(lfs), lfs));
    repo.commits.put(commit, Map.copyOf(files));
    return this;
  }

  /** Returns the commit that a revision names. */
  public String commit(String repoId, String revision) {
    return repos.get(repoId).refs.get(revision);
  }

  /** Makes a repository answer 401 to all who do not send this token. */
  public FakeHub requireToken(String repoId, String token) {
    repos.get(repoId).requiredToken = Optional.of(token);
    return this;
  }

  /** Makes a repository answer that its terms were not accepted. */
  public FakeHub gate(String repoId) {
    repos.get(repoId).gated = true;
    return this;
  }

  /** Makes an old name redirect to the new one. */
  public FakeHub rename(String oldRepoId, String newRepoId) {
    renamed.put(oldRepoId, newRepoId);
    return this;
  }

  /** Makes the next answers to HEAD misbehave, one each. */
  public FakeHub headFaults(Fault... faults) {
    synchronized (headFaults) {
      headFaults.addAll(List.of(faults));
    }
    return this;
  }

  /** Makes the next answers that carry a file misbehave, one each. */
  public FakeHub bodyFaults(Fault... faults) {
    synchronized (bodyFaults) {
      bodyFaults.addAll(List.of(faults));
    }
    return this;
  }

  /** Makes every answer that carries a file misbehave. */
  public FakeHub everyBody(Fault fault) {
    everyBody = Optional.of(fault);
    return this;
  }

  /** Makes every answer to HEAD misbehave. */
  public FakeHub everyHead(Fault fault) {
    everyHead = Optional.of(fault);
    return this;
  }

  /** Ends all misbehaviour. */
  public FakeHub behave() {
    everyBody = Optional.empty();
    everyHead = Optional.empty();
    synchronized (headFaults) {
      headFaults.clear();
    }
    synchronized (bodyFaults) {
      bodyFaults.clear();
    }
    return this;
  }

  /** Makes the CDN refuse the addresses handed out so far; later ones are good. */
  public FakeHub expireSignatures() {
    signature.incrementAndGet();
    return this;
  }

  /** Returns all requests so far. */
  public List<Seen> requests() {
    return List.copyOf(requests);
  }

  /** Returns how many requests with this method have come. */
  public long count(String method) {
    return requests.stream().filter(r -> r.method().equals(method)).count();
  }

  /** Returns how many bytes of files have been sent. */
  public long bodyBytes() {
    return bodyBytes.get();
  }

  /** Returns the requests that carried a token to the CDN; there must be none. */
  public List<Seen> tokenLeaks() {
    return requests.stream()
        .filter(r -> r.server().equals("cdn") && r.token().isPresent())
        .toList();
  }

  /** Forgets the requests and bytes counted so far. */
  public void resetCounts() {
    requests.clear();
    bodyBytes.set(0);
  }

  private void note(String server, Request request) {
    requests.add(
        new Seen(
            server,
            request.method(),
            request.path(),
            request.header("Range"),
            request.header("Authorization")));
  }

  private boolean serveHub(Request request, Response response)
      throws IOException, InterruptedException {
    note("hub", request);
    boolean head = request.method().equals("HEAD");
    Optional<Fault> fault = head ? next(headFaults, everyHead) : Optional.empty();
    if (fault.isPresent()) {
      return misbehaveOnHead(request, response, fault.get());
    }
    String[] parts = request.path().substring(1).split("/resolve/", 2);
    String[] rest = parts[1].split("/", 2);
    String repoId = parts[0];
    String revision = LoopbackServer.decode(rest[0]);
    String filename = LoopbackServer.decode(rest[1]);
    if (renamed.containsKey(repoId)) {
      return empty(response, 307, "Location", "/" + renamed.get(repoId) + "/resolve/" + parts[1]);
    }
    Optional<String> token = request.header("Authorization").map(t -> t.replace("Bearer ", ""));
    Repo repo = repos.get(repoId);
    if (repo == null || (repo.requiredToken.isPresent() && token.isEmpty())) {
      return empty(
          response, 401, "X-Error-Code", "RepoNotFound", "X-Error-Message", "Repository not found");
    }
    if (repo.requiredToken.isPresent() && !repo.requiredToken.equals(token)) {
      return empty(
          response,
          401,
          "X-Error-Message",
          "Invalid credentials in Authorization header " + token.get());
    }
    if (repo.gated) {
      return empty(
          response, 403, "X-Error-Code", "GatedRepo", "X-Error-Message", "Access is restricted");
    }
    String commit = repo.commits.containsKey(revision) ? revision : repo.refs.get(revision);
    if (commit == null) {
      return empty(response, 404, "X-Error-Code", "RevisionNotFound");
    }
    Entry entry = repo.commits.get(commit).get(filename);
    if (entry == null) {
      return empty(response, 404, "X-Error-Code", "EntryNotFound", "X-Repo-Commit", commit);
    }
    return serveEntry(request, response, commit, entry);
  }

  private boolean serveEntry(Request request, Response response, String commit, Entry entry)
      throws IOException, InterruptedException {
    if (entry.lfs()) {
      linked.put(entry.etag(), entry);
      return empty(
          response,
          302,
          "X-Repo-Commit",
          commit,
          "X-Linked-Etag",
          '"' + entry.etag() + '"',
          "X-Linked-Size",
          Long.toString(entry.content().size()),
          "ETag",
          "\"not-the-name-of-the-blob\"",
          "Location",
          cdn.uri() + "/" + entry.etag() + "?signature=" + signature.get());
    }
    Map<String, String> headers =
        LoopbackServer.headers("X-Repo-Commit", commit, "ETag", "W/\"" + entry.etag() + '"');
    return serveBody(request, response, entry.content(), headers);
  }

  private boolean serveCdn(Request request, Response response)
      throws IOException, InterruptedException {
    note("cdn", request);
    String[] parts = request.path().substring(1).split("\\?signature=");
    if (Long.parseLong(parts[1]) < signature.get()) {
      return empty(response, 403);
    }
    Entry entry = linked.get(parts[0]);
    return serveBody(
        request, response, entry.content(), LoopbackServer.headers("ETag", "\"of-the-cdn\""));
  }

  private boolean serveBody(
      Request request, Response response, FakeContent content, Map<String, String> headers)
      throws IOException, InterruptedException {
    long size = content.size();
    if (request.method().equals("HEAD")) {
      headers.put("Content-Length", Long.toString(size));
      response.start(200, headers);
      return true;
    }
    Optional<Fault> fault = next(bodyFaults, everyBody);
    return new FaultyBody(request, response, content, headers, bodyBytes).send(fault);
  }

  private static Optional<Fault> next(Deque<Fault> queue, Optional<Fault> always) {
    synchronized (queue) {
      return Optional.ofNullable(queue.poll()).or(() -> always);
    }
  }

  private static boolean misbehaveOnHead(Request request, Response response, Fault fault)
      throws IOException, InterruptedException {
    if (fault instanceof Fault.Status status) {
      Map<String, String> headers = new LinkedHashMap<>(status.headers());
      headers.put("Content-Length", "0");
      response.start(status.code(), headers);
      return true;
    }
    if (fault instanceof Fault.RedirectLoop) {
      return empty(response, 307, "Location", request.path());
    }
    if (fault instanceof Fault.Stall || fault instanceof Fault.Silence) {
      Thread.sleep(60_000);
    }
    return false;
  }

  static boolean empty(Response response, int status, String... headers) throws IOException {
    Map<String, String> all = LoopbackServer.headers(headers);
    all.put("Content-Length", "0");
    response.start(status, all);
    return true;
  }

  @Override
  public void close() throws IOException {
    hub.close();
    cdn.close();
  }
}
