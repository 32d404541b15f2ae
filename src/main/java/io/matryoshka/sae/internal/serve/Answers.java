package io.matryoshka.sae.internal.serve;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.internal.serve.view.ViewException;
import java.nio.ByteBuffer;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/** Writes answers and refusals. */
final class Answers {

  private static final JsonMapper JSON = new JsonMapper();

  /** What a browser may do with an answer of the interface, should it ever show it as a page. */
  private static final String NOTHING = "default-src 'none'; frame-ancestors 'none'";

  private Answers() {}

  /** Sets the headers that every answer has. */
  static void secure(Response response) {
    HttpFields.Mutable headers = response.getHeaders();
    headers.put("Content-Security-Policy", NOTHING);
    headers.put("X-Content-Type-Options", "nosniff");
    headers.put("Referrer-Policy", "no-referrer");
    headers.put("Cross-Origin-Opener-Policy", "same-origin");
    headers.put("Cross-Origin-Resource-Policy", "same-origin");
    headers.put(HttpHeader.CACHE_CONTROL, "no-store");
  }

  static byte[] bytes(JsonNode node) {
    try {
      return JSON.writeValueAsBytes(node);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Answers with JSON. */
  static void json(Response response, Callback callback, int status, JsonNode node) {
    send(response, callback, status, "application/json", bytes(node));
  }

  /** Answers with bytes. */
  static void send(Response response, Callback callback, int status, String type, byte[] body) {
    response.setStatus(status);
    response.getHeaders().put(HttpHeader.CONTENT_TYPE, type);
    response.getHeaders().put(HttpHeader.CONTENT_LENGTH, body.length);
    response.write(true, ByteBuffer.wrap(body), callback);
  }

  /** Refuses a call. */
  static void refuse(Response response, Callback callback, Refusal refusal, String message) {
    json(response, callback, refusal.status(), error(refusal, message));
  }

  /** Refuses a call for the reason of a view. */
  static void refuse(Response response, Callback callback, ViewException reason) {
    json(response, callback, Refusal.of(reason.kind()).status(), error(reason));
  }

  static ObjectNode error(Refusal refusal, String message) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.putObject("error").put("code", refusal.code()).put("message", message);
    return node;
  }

  static ObjectNode error(ViewException reason) {
    ObjectNode node = error(Refusal.of(reason.kind()), reason.getMessage());
    ObjectNode error = (ObjectNode) node.get("error");
    reason.limit().ifPresent(limit -> error.put("limit", limit));
    reason.given().ifPresent(given -> error.put("given", given));
    return node;
  }
}
