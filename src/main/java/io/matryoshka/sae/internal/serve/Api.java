package io.matryoshka.sae.internal.serve;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.internal.serve.view.ExportFile;
import io.matryoshka.sae.internal.serve.view.Fields;
import io.matryoshka.sae.internal.serve.view.Query;
import io.matryoshka.sae.internal.serve.view.Workspace;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/** The interface of docs/serve-api.md: which call leads to which view. */
final class Api extends Handler.Abstract {

  private static final String PREFIX = "/api/";
  private static final String OWN_HEADER = "X-Matryoshka";
  private static final String BEARER = "Bearer ";

  private final Desk desk;
  private final Optional<String> token;
  private final Bodies bodies;

  /** The routes by path, then by method. */
  private final Map<String, Map<String, Route>> routes = new TreeMap<>();

  /** When a call is answered. */
  private enum Turn {
    /** At once, by the thread that read the request. */
    NOW,
    /** When those before it are done. */
    QUEUED,
    /** Bit by bit, beside others. */
    STREAMED
  }

  /** What a call brings: parameters, or a body that was read. */
  private record Input(Request request, Optional<Fields> body) {

    Query query() {
      return Bodies.query(request);
    }

    Fields fields() {
      return body.orElseThrow();
    }
  }

  /** Answers a call. */
  @FunctionalInterface
  private interface Answer {

    void give(Input input, Call call) throws Exception;
  }

  /** Computes what a call is answered with. */
  @FunctionalInterface
  private interface View<T> {

    T of(Input input, Call call) throws Exception;
  }

  private record Route(Turn turn, boolean hasBody, Answer answer) {}

  Api(Workspace workspace, Desk desk, Optional<String> token) {
    this.desk = desk;
    this.token = token;
    this.bodies = new Bodies(workspace.limits().bodyBytes());
    now("GET", "state", (input, call) -> workspace.state(input.query()));
    now("GET", "search", (input, call) -> workspace.search(input.query()));
    now("PUT", "label", (input, call) -> workspace.putLabel(input.fields()));
    now("DELETE", "label", (input, call) -> workspace.removeLabel(input.query()));
    queued("GET", "latent", (input, call) -> workspace.latent(input.query()));
    queued("POST", "latents", (input, call) -> workspace.latents(input.fields()));
    queued("POST", "losses", (input, call) -> workspace.losses(input.fields()));
    queued(
        "POST",
        "intervene",
        (input, call) -> workspace.intervene(input.fields(), call.cancellation()));
    queued(
        "POST", "compare", (input, call) -> workspace.compare(input.fields(), call.cancellation()));
    View<ExportFile> export =
        (input, call) -> workspace.export(input.fields(), call.cancellation());
    route("POST", "export", Turn.QUEUED, (input, call) -> call.file(inTurn(export, input, call)));
    route(
        "POST",
        "generate",
        Turn.STREAMED,
        (input, call) -> new Continuations(workspace.generate(input.fields()), desk, call).run());
  }

  private void now(String method, String name, View<ObjectNode> view) {
    route(method, name, Turn.NOW, (input, call) -> call.json(view.of(input, call)));
  }

  private void queued(String method, String name, View<ObjectNode> view) {
    route(method, name, Turn.QUEUED, (input, call) -> call.json(inTurn(view, input, call)));
  }

  private <T> T inTurn(View<T> view, Input input, Call call) throws Exception {
    return desk.passes().run(call.cancellation(), () -> view.of(input, call));
  }

  private void route(String method, String name, Turn turn, Answer answer) {
    boolean hasBody = method.equals("POST") || method.equals("PUT");
    routes
        .computeIfAbsent(PREFIX + name, path -> new TreeMap<>())
        .put(method, new Route(turn, hasBody, answer));
  }

  static boolean isCall(Request request) {
    return request.getHttpURI().getPath().startsWith(PREFIX);
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    if (!isCall(request)) {
      return false;
    }
    if (!"1".equals(request.getHeaders().get(OWN_HEADER))) {
      Answers.refuse(
          response, callback, Refusal.FORBIDDEN, "expected the header %s: 1".formatted(OWN_HEADER));
    } else if (!hasToken(request)) {
      Answers.refuse(
          response,
          callback,
          Refusal.TOKEN_NEEDED,
          "expected the token that the server printed when it started; open the whole address");
    } else {
      serve(request, response, callback);
    }
    return true;
  }

  private boolean hasToken(Request request) {
    String given = request.getHeaders().get(HttpHeader.AUTHORIZATION);
    return token.isEmpty()
        || given != null
            && MessageDigest.isEqual(
                given.getBytes(StandardCharsets.UTF_8),
                (BEARER + token.get()).getBytes(StandardCharsets.UTF_8));
  }

  private void serve(Request request, Response response, Callback callback) {
    Map<String, Route> methods = routes.get(request.getHttpURI().getPath());
    if (methods == null) {
      Answers.refuse(response, callback, Refusal.NOT_FOUND, "there is no such call");
      return;
    }
    Route route = methods.get(request.getMethod());
    if (route == null) {
      String allowed = String.join(", ", methods.keySet());
      response.getHeaders().put(HttpHeader.ALLOW, allowed);
      Answers.refuse(response, callback, Refusal.METHOD_NOT_ALLOWED, "expected " + allowed);
    } else if (route.hasBody()) {
      bodies.read(
          request,
          response,
          callback,
          fields -> begin(route, new Input(request, Optional.of(fields)), response, callback));
    } else {
      begin(route, new Input(request, Optional.empty()), response, callback);
    }
  }

  private void begin(Route route, Input input, Response response, Callback callback) {
    Call call =
        new Call(input.request(), response, callback, own -> route.answer().give(input, own));
    switch (route.turn()) {
      case NOW -> call.run();
      case QUEUED -> desk.submit(call);
      case STREAMED -> desk.stream(call);
    }
  }
}
