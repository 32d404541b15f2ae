package io.matryoshka.sae.internal.serve;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.internal.serve.view.Cancellation;
import io.matryoshka.sae.internal.serve.view.ExportFile;
import io.matryoshka.sae.internal.serve.view.ViewException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.io.EofException;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One call and its answer, which is given once, whoever comes first. */
final class Call implements Runnable {

  private static final Logger LOG = LoggerFactory.getLogger(Call.class);
  private static final int RETRY_SECONDS = 2;

  private final Request request;
  private final Response response;
  private final Callback callback;
  private final Work work;
  private final Cancellation cancellation = new Cancellation();
  private final AtomicBoolean answered = new AtomicBoolean();
  private Runnable leave = () -> {};
  private boolean begun;

  /** Computes and gives the answer of a call. */
  @FunctionalInterface
  interface Work {

    /** Answers, or throws; a failure is answered by the call itself. */
    void answer(Call call) throws Exception;
  }

  Call(Request request, Response response, Callback callback, Work work) {
    this.request = request;
    this.response = response;
    this.callback = callback;
    this.work = work;
    // A call may wait and compute for long; whether its page is still there is looked after.
    request.addIdleTimeoutListener(timeout -> false);
  }

  Request request() {
    return request;
  }

  Cancellation cancellation() {
    return cancellation;
  }

  /** Sets what is done just before the answer ends. */
  void whenAnswered(Runnable action) {
    leave = action;
  }

  @Override
  public void run() {
    try {
      work.answer(this);
    } catch (ViewException e) {
      fail(Refusal.of(e.kind()), Answers.error(e));
    } catch (IllegalArgumentException e) {
      fail(Refusal.BAD_REQUEST, Answers.error(Refusal.BAD_REQUEST, e.getMessage()));
    } catch (CancellationException e) {
      failCancelled();
    } catch (Exception | Error e) {
      if (e instanceof Exception && cancellation.isCancelled()) {
        failCancelled(); // An interruption that something else than a pass of the model noticed.
        return;
      }
      LOG.error("{} {} failed", request.getMethod(), request.getHttpURI().getPath(), e);
      String message = "the server failed (%s); the terminal has the details";
      fail(
          Refusal.FAILED,
          Answers.error(Refusal.FAILED, message.formatted(e.getClass().getSimpleName())));
    }
  }

  private void failCancelled() {
    fail(Refusal.STOPPING, Answers.error(Refusal.STOPPING, "the call was cancelled"));
  }

  void json(JsonNode node) {
    if (end()) {
      Answers.json(response, callback, 200, node);
    }
  }

  /** Gives a file to be saved. */
  void file(ExportFile file) {
    if (end()) {
      response
          .getHeaders()
          .put(
              HttpHeader.CONTENT_DISPOSITION, "attachment; filename=\"%s\"".formatted(file.name()));
      Answers.send(response, callback, 200, file.type(), file.content());
    }
  }

  void refuse(Refusal refusal, String message) {
    fail(refusal, Answers.error(refusal, message));
  }

  private synchronized void fail(Refusal refusal, ObjectNode error) {
    if (!end()) {
      return;
    }
    if (begun) {
      response.write(true, lineBytes(error), callback);
      return;
    }
    if (refusal == Refusal.TOO_MANY_CALLS) {
      response.getHeaders().put(HttpHeader.RETRY_AFTER, RETRY_SECONDS);
    }
    Answers.json(response, callback, refusal.status(), error);
  }

  /** Ends without an answer, as nobody waits for one. */
  void drop() {
    if (end()) {
      callback.failed(new EofException("the page has gone"));
    }
  }

  /** Sends a part of the answer; waits until it is on its way, and cancels the call if it fails. */
  synchronized void line(ObjectNode node) {
    if (answered.get()) {
      return;
    }
    begin();
    try {
      Content.Sink.write(response, false, lineBytes(node));
    } catch (IOException e) {
      cancellation.cancel();
      throw new CancellationException("the page has gone: " + e.getMessage());
    }
  }

  /** Sends the last part of the answer. */
  synchronized void lastLine(ObjectNode node) {
    begin();
    if (end()) {
      response.write(true, lineBytes(node), callback);
    }
  }

  private void begin() {
    if (!begun) {
      begun = true;
      response.setStatus(200);
      response.getHeaders().put(HttpHeader.CONTENT_TYPE, "application/x-ndjson");
    }
  }

  private static ByteBuffer lineBytes(ObjectNode node) {
    byte[] json = Answers.bytes(node);
    return ByteBuffer.allocate(json.length + 1).put(json).put((byte) '\n').flip();
  }

  private boolean end() {
    if (!answered.compareAndSet(false, true)) {
      return false;
    }
    leave.run();
    return true;
  }
}
