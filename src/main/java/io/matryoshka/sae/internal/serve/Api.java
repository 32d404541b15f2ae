package io.matryoshka.sae.internal.serve;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.internal.serve.view.ContinuationView;
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

  /** Answers a call with its parameters or its body. */
  @FunctionalInterface
  private interface Route {

    void answer(Request request, Response response, Callback callback);
  }

  /** Computes an answer from a body. */
  @FunctionalInterface
  private interface BodyView {

    ObjectNode of(Fields fields, Call call) throws Exception;
  }

  /** Computes an answer from parameters. */
  @FunctionalInterface
  private interface QueryView {

    ObjectNode of(Query query) throws Exception;
  }

  Api(Workspace workspace, Desk desk, Optional<String> token) {
    this.desk = desk;
    this.token = token;
    this.bodies = new Bodies(workspace.limits().bodyBytes());
    route("GET", "state", quick(workspace::state));
    route("GET", "search", quick(workspace::search));
    route("GET", "latent", queued(workspace::latent));
    route("PUT", "label", quickBody((fields, call) -> workspace.putLabel(fields)));
    route("DELETE", "label", quick(workspace::removeLabel));
    route("POST", "latents", queuedBody((fields, call) -> workspace.latents(fields)));
    route("POST", "losses", queuedBody((fields, call) -> workspace.losses(fields)));
    route(
        "POST",
        "intervene",
        queuedBody((fields, call) -> workspace.intervene(fields, call.cancellation())));
    route(
        "POST",
        "compare",
        queuedBody((fields, call) -> workspace.compare(fields, call.cancellation())));
    route("POST", "generate", streamed(workspace));
    route("POST", "export", exported(workspace));
  }

  private void route(String method, String name, Route route) {
    routes.computeIfAbsent(PREFIX + name, path -> new TreeMap<>()).put(method, route);
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
      return;
    }
    route.answer(request, response, callback);
  }

  /** Answered at once, by the thread that read the request. */
  private static Route quick(QueryView view) {
    return (request, response, callback) ->
        new Call(request, response, callback, call -> call.json(view.of(Bodies.query(request))))
            .run();
  }

  private Route quickBody(BodyView view) {
    return (request, response, callback) ->
        bodies.read(
            request,
            response,
            callback,
            fields ->
                new Call(request, response, callback, call -> call.json(view.of(fields, call)))
                    .run());
  }

  /** Answered when it is its turn. */
  private Route queued(QueryView view) {
    return (request, response, callback) ->
        desk.submit(
            new Call(
                request,
                response,
                callback,
                call ->
                    call.json(
                        desk.passes()
                            .run(call.cancellation(), () -> view.of(Bodies.query(request))))));
  }

  private Route queuedBody(BodyView view) {
    return (request, response, callback) ->
        bodies.read(
            request,
            response,
            callback,
            fields ->
                desk.submit(
                    new Call(
                        request,
                        response,
                        callback,
                        call ->
                            call.json(
                                desk.passes()
                                    .run(call.cancellation(), () -> view.of(fields, call))))));
  }

  private Route streamed(Workspace workspace) {
    return (request, response, callback) ->
        bodies.read(
            request,
            response,
            callback,
            fields ->
                desk.stream(
                    new Call(
                        request,
                        response,
                        callback,
                        call -> {
                          ContinuationView view = workspace.generate(fields);
                          new Continuations(view, desk, call).run();
                        })));
  }

  private Route exported(Workspace workspace) {
    return (request, response, callback) ->
        bodies.read(
            request,
            response,
            callback,
            fields ->
                desk.submit(
                    new Call(
                        request,
                        response,
                        callback,
                        call -> {
                          ExportFile file =
                              desk.passes()
                                  .run(
                                      call.cancellation(),
                                      () -> workspace.export(fields, call.cancellation()));
                          call.file(file.name(), file.type(), file.content());
                        })));
  }
}
