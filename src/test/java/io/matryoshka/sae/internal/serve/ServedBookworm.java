package io.matryoshka.sae.internal.serve;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.LoadOptions;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.internal.serve.view.Corpus;
import io.matryoshka.sae.internal.serve.view.Limits;
import io.matryoshka.sae.internal.serve.view.OpenSae;
import io.matryoshka.sae.internal.serve.view.SaeLabels;
import io.matryoshka.sae.internal.serve.view.SaeName;
import io.matryoshka.sae.internal.serve.view.Workspace;
import io.matryoshka.sae.labels.LabelFile;
import io.matryoshka.sae.labels.Labels;
import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.lm.Tokens;
import io.matryoshka.sae.support.SourceFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The server over the bundled model and SAE, twice under two names, and a client of it. */
public final class ServedBookworm implements AutoCloseable {

  public static final String RELEASE = "bookworm-3m-res-matryoshka-demo";
  public static final String SAE_ID = "blocks.5.hook_resid_post";
  public static final String KEY = RELEASE + "/" + SAE_ID;

  /** The first 128 latents, which have no model and no labels here. */
  public static final String SILENT = "silent";

  public static final String TEXT =
      "building: the occupants of a building. The entire building complained about the noise.";

  static final Path FOLDER = SourceFiles.PROJECT.resolve("releases/bookworm-3m");
  private static final long IDLE_MILLIS = 30_000;
  private static final ObjectMapper JSON = new ObjectMapper();

  final SAE sae;
  final LanguageModel model;
  final Path labels;
  final HttpClient client = HttpClient.newHttpClient();
  final Workspace workspace;
  private final Playground playground;

  private ServedBookworm(
      Path folder, Limits limits, ServeOptions options, List<SAE> others, long idleMillis)
      throws IOException {
    sae = SAE.load(FOLDER.resolve(SAE_ID));
    model = LanguageModel.load(FOLDER.resolve("model"));
    labels = folder.resolve("labels.json");
    SAE coarse = SAE.load(FOLDER.resolve(SAE_ID), LoadOptions.defaults().prefix(128));
    List<OpenSae> open = new ArrayList<>(List.of(whole(), silent(coarse)));
    for (SAE other : others) {
      open.add(other("other " + open.size(), other));
    }
    workspace = new Workspace("test", open, limits, TEXT);
    playground = Playground.start(workspace, options, idleMillis);
  }

  private OpenSae whole() throws IOException {
    SaeName name =
        new SaeName(
            KEY,
            Optional.of(RELEASE),
            Optional.of(SAE_ID),
            "SAE.fromPretrained(\"%s\", \"%s\")".formatted(RELEASE, SAE_ID),
            "LanguageModel.of(sae)",
            List.of(RELEASE, SAE_ID));
    return new OpenSae(
        name,
        sae,
        Optional.of(new OpenSae.OpenModel("bookworm-3m", model)),
        "",
        Optional.empty(),
        new SaeLabels(Optional.of(LabelFile.open(labels)), "", Labels.none()),
        Corpus.toBeRead("texts.json", List.of("--text-file", "it's.txt")));
  }

  private OpenSae other(String key, SAE other) {
    SaeName name = new SaeName(key, Optional.empty(), Optional.empty(), "", "", List.of());
    return new OpenSae(
        name,
        other,
        Optional.of(new OpenSae.OpenModel("bookworm-3m", model)),
        "",
        Optional.empty(),
        new SaeLabels(Optional.empty(), "there is no file", Labels.none()),
        Corpus.none());
  }

  private static OpenSae silent(SAE sae) {
    SaeName name =
        new SaeName(SILENT, Optional.empty(), Optional.empty(), "SAE.load()", "", List.of());
    return new OpenSae(
        name,
        sae,
        Optional.empty(),
        "there is no model for it",
        Optional.empty(),
        new SaeLabels(Optional.empty(), "there is no file", Labels.none()),
        Corpus.none());
  }

  /** Starts a server on any port of the loopback address. */
  public static ServedBookworm start(Path folder) throws IOException {
    return start(folder, Limits.defaults(), ServeOptions.loopback(0));
  }

  static ServedBookworm start(Path folder, Limits limits, ServeOptions options) throws IOException {
    return new ServedBookworm(folder, limits, options, List.of(), IDLE_MILLIS);
  }

  /** Serves more SAEs of the same model, under the names {@code other 2}, {@code other 3}, … */
  static ServedBookworm startWith(Path folder, SAE... others) throws IOException {
    return new ServedBookworm(
        folder, Limits.defaults(), ServeOptions.loopback(0), List.of(others), IDLE_MILLIS);
  }

  static ServedBookworm startImpatient(Path folder, long idleMillis) throws IOException {
    return new ServedBookworm(
        folder, Limits.defaults(), ServeOptions.loopback(0), List.of(), idleMillis);
  }

  /** Reads the texts that come with the model. */
  public void readCorpus() {
    playground.readCorpus(
        (languageModel, read) -> {
          List<Tokens> contexts = new ArrayList<>();
          for (JsonNode text : JSON.readTree(FOLDER.resolve("texts.json").toFile()).get("texts")) {
            contexts.add(languageModel.tokens(text.get("text").textValue()));
          }
          return new Workspace.Contexts(contexts, true);
        });
  }

  Desk desk() {
    return playground.desk();
  }

  public int port() {
    return playground.port();
  }

  /** The address of the page. */
  public String address() {
    return playground.address();
  }

  URI uri(String path) {
    return URI.create("http://127.0.0.1:" + port() + path);
  }

  /** A call as the page makes it, to be changed. */
  HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(uri(path)).header("X-Matryoshka", "1");
  }

  static ObjectNode body(String sae, String text) {
    return JSON.createObjectNode().put("sae", sae).put("text", text);
  }

  static JsonNode json(String text) throws IOException {
    return JSON.readTree(text);
  }

  HttpResponse<String> send(HttpRequest.Builder request) {
    try {
      return client.send(request.build(), BodyHandlers.ofString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  HttpRequest.Builder post(String path, String body) {
    return request(path)
        .header("Content-Type", "application/json")
        .POST(BodyPublishers.ofString(body));
  }

  /** Posts a body and returns the JSON of an answer with the status 200. */
  JsonNode post(String path, JsonNode body) throws IOException {
    return ok(send(post(path, body.toString())));
  }

  JsonNode get(String path) throws IOException {
    return ok(send(request(path).GET()));
  }

  private static JsonNode ok(HttpResponse<String> answer) throws IOException {
    if (answer.statusCode() != 200) {
      throw new IOException(answer.statusCode() + " " + answer.body());
    }
    return json(answer.body());
  }

  @Override
  public void close() throws IOException {
    playground.close();
  }
}
