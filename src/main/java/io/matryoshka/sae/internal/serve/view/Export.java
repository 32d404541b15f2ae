package io.matryoshka.sae.internal.serve.view;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** Makes files of what views show. */
final class Export {

  private static final JsonMapper JSON =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  /** The views that can be exported, named as in requests. */
  enum View {
    LATENTS,
    LOSSES,
    LATENT,
    INTERVENE,
    COMPARE;

    String key() {
      return name().toLowerCase(Locale.ROOT);
    }

    static View of(String key) {
      for (View view : values()) {
        if (view.key().equals(key)) {
          return view;
        }
      }
      throw ViewException.badRequest(
          "view: expected latents, losses, latent, intervene or compare, got '%.40s'"
              .formatted(key));
    }
  }

  private Export() {}

  static ExportFile of(Workspace workspace, Fields fields, Cancellation cancellation)
      throws IOException {
    View view = View.of(fields.text("view"));
    String format = fields.text("format");
    Fields request = fields.object("request");
    fields.requireNoOther();
    String type =
        switch (format) {
          case "json" -> "application/json";
          case "csv" -> "text/csv; charset=utf-8";
          case "html" -> "text/html; charset=utf-8";
          default ->
              throw ViewException.badRequest(
                  "format: expected json, csv or html, got '%.40s'".formatted(format));
        };
    ObjectNode answer = answer(workspace, view, request, cancellation);
    String text =
        switch (format) {
          case "json" -> json(answer);
          case "csv" -> new ExportTable(view, answer).csv();
          default -> new ExportPage(view, answer).html();
        };
    return new ExportFile(
        "matryoshka-%s.%s".formatted(view.key(), format),
        type,
        text.getBytes(StandardCharsets.UTF_8));
  }

  private static ObjectNode answer(
      Workspace workspace, View view, Fields request, Cancellation cancellation)
      throws IOException {
    return switch (view) {
      case LATENTS -> workspace.latents(request);
      case LOSSES -> workspace.losses(request);
      case LATENT -> workspace.latent(request);
      case INTERVENE -> workspace.intervene(request, cancellation);
      case COMPARE -> workspace.compare(request, cancellation);
    };
  }

  private static String json(ObjectNode answer) {
    try {
      return JSON.writeValueAsString(answer) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }
}
