package io.matryoshka.sae.internal.serve;

import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/** Answers what the server library itself refuses, such as a malformed request, as JSON. */
final class Refusals implements Request.Handler {

  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    int status = response.getStatus();
    Answers.secure(response);
    response.getHeaders().put(HttpHeader.CONNECTION, "close");
    Refusal refusal =
        status == Refusal.NOT_FOUND.status()
            ? Refusal.NOT_FOUND
            : status >= 500 ? Refusal.FAILED : Refusal.BAD_REQUEST;
    String message =
        switch (refusal) {
          case NOT_FOUND -> "there is nothing of this name here";
          case FAILED -> "the server failed; the terminal has the details";
          default -> "the request is malformed or too large";
        };
    Answers.json(response, callback, status, Answers.error(refusal, message));
    return true;
  }
}
