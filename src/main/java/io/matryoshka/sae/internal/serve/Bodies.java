package io.matryoshka.sae.internal.serve;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.internal.filetype.JsonProblems;
import io.matryoshka.sae.internal.serve.view.Fields;
import io.matryoshka.sae.internal.serve.view.Query;
import io.matryoshka.sae.internal.serve.view.ViewException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.Fields.Field;
import org.eclipse.jetty.util.Promise;
import org.eclipse.jetty.util.thread.Invocable;

/** Reads what a call brings: a bounded JSON object, or parameters. */
final class Bodies {

  private static final int MOST_DEPTH = 8;
  private static final String JSON_TYPE = "application/json";
  private static final JsonMapper JSON =
      JsonMapper.builder(
              JsonFactory.builder()
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxNestingDepth(MOST_DEPTH).build())
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private final int most;

  Bodies(int most) {
    this.most = most;
  }

  /** Reads a body, without waiting for it, and goes on with its fields; or refuses the call. */
  void read(Request request, Response response, Callback callback, Consumer<Fields> then) {
    String type = request.getHeaders().get(HttpHeader.CONTENT_TYPE);
    if (type == null || !type.split(";", 2)[0].strip().toLowerCase(Locale.ROOT).equals(JSON_TYPE)) {
      Answers.refuse(
          response, callback, Refusal.NOT_JSON, "expected a body of the type " + JSON_TYPE);
      return;
    }
    if (request.getLength() > most) {
      refuseSize(response, callback);
      return;
    }
    Content.Source.asByteArrayAsync(
        request,
        most,
        Promise.Invocable.from(
            Invocable.InvocationType.BLOCKING,
            bytes -> parse(bytes, response, callback, then),
            failure -> refuseSize(response, callback)));
  }

  private void refuseSize(Response response, Callback callback) {
    response.getHeaders().put(HttpHeader.CONNECTION, "close");
    Answers.refuse(
        response,
        callback,
        Refusal.BODY_TOO_LARGE,
        "expected a body of at most %d bytes, and all of it".formatted(most));
  }

  private static void parse(
      byte[] bytes, Response response, Callback callback, Consumer<Fields> then) {
    Fields fields;
    try {
      fields = fields(bytes);
    } catch (ViewException e) {
      Answers.refuse(response, callback, e);
      return;
    }
    then.accept(fields);
  }

  private static Fields fields(byte[] bytes) {
    try {
      JsonNode node = JSON.readTree(bytes);
      if (node instanceof ObjectNode object) {
        return new Fields(object);
      }
    } catch (JsonProcessingException e) {
      throw new ViewException(ViewException.Kind.BAD_REQUEST, JsonProblems.describe("the body", e));
    } catch (IOException e) {
      throw new ViewException(ViewException.Kind.BAD_REQUEST, "the body is not UTF-8");
    }
    throw new ViewException(
        ViewException.Kind.BAD_REQUEST, "expected a JSON object as body, got something else");
  }

  /** Reads the parameters; one that stands there twice is refused. */
  static Query query(Request request) {
    Map<String, String> parameters = new HashMap<>();
    try {
      for (Field field : Request.extractQueryParameters(request, StandardCharsets.UTF_8)) {
        if (field.getValues().size() > 1) {
          throw new ViewException(
              ViewException.Kind.BAD_REQUEST,
              "parameter '%.40s' stands there twice".formatted(field.getName()));
        }
        parameters.put(field.getName(), field.getValue());
      }
    } catch (IllegalArgumentException | IllegalStateException e) {
      throw new ViewException(ViewException.Kind.BAD_REQUEST, "the parameters are malformed");
    }
    return new Query(parameters);
  }
}
