package io.matryoshka.sae.internal.serve.view;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** The answer of a view as one table: cells as text, empty where there is no number. */
final class ExportTable {

  private final ObjectNode answer;
  private final List<String> header = new ArrayList<>();
  private final List<List<String>> rows = new ArrayList<>();

  ExportTable(Export.View view, ObjectNode answer) {
    this.answer = answer;
    switch (view) {
      case LATENTS -> latents();
      case LOSSES -> losses();
      case LATENT -> contexts();
      case INTERVENE -> changes();
      case COMPARE -> comparison();
    }
  }

  List<String> header() {
    return header;
  }

  List<List<String>> rows() {
    return rows;
  }

  private void latents() {
    header.addAll(List.of("position", "token", "latent", "activation", "label"));
    for (int i = 0; i < answer.path("tokens").size(); i++) {
      String token = answer.path("tokens").path(i).path("text").asText();
      for (JsonNode pair : answer.path("latents").path(i)) {
        String latent = pair.path(0).asText();
        String label = answer.path("labels").path(latent).asText();
        rows.add(List.of(Integer.toString(i), token, latent, pair.path(1).asText(), label));
      }
    }
  }

  /** One column for each run and one row for each token. */
  private void losses() {
    List<JsonNode> columns = new ArrayList<>();
    column("loss_clean", answer.path("clean").path("loss"), columns);
    column("loss_zero", answer.path("zero").path("loss"), columns);
    column("kl_zero", answer.path("zero").path("kl"), columns);
    for (JsonNode width : answer.path("widths")) {
      column("loss_" + width.path("width").asText(), width.path("loss"), columns);
      column("kl_" + width.path("width").asText(), width.path("kl"), columns);
    }
    fill(columns);
  }

  private void changes() {
    List<JsonNode> columns = new ArrayList<>();
    column("loss_clean", answer.path("clean").path("loss"), columns);
    column("loss_changed", answer.path("changed").path("loss"), columns);
    column("kl_changed", answer.path("changed").path("kl"), columns);
    fill(columns);
  }

  private void comparison() {
    List<JsonNode> columns = new ArrayList<>();
    header.add("token");
    columns.add(Json.array().addAll(tokens()));
    for (String side : List.of("left", "right")) {
      column("error_" + side, answer.path(side).path("error"), columns);
      column("loss_" + side, answer.path(side).path("loss"), columns);
      column("kl_" + side, answer.path(side).path("kl"), columns);
    }
    column("loss_clean", answer.path("clean").path("loss"), columns);
    fill(columns);
  }

  private List<JsonNode> tokens() {
    List<JsonNode> texts = new ArrayList<>();
    answer.path("tokens").forEach(token -> texts.add(token.path("text")));
    return texts;
  }

  private void column(String name, JsonNode values, List<JsonNode> columns) {
    header.add(name);
    columns.add(values);
  }

  private void fill(List<JsonNode> columns) {
    header.add(0, "position");
    int count = columns.stream().mapToInt(JsonNode::size).max().orElse(0);
    for (int i = 0; i < count; i++) {
      List<String> row = new ArrayList<>(List.of(Integer.toString(i)));
      for (JsonNode column : columns) {
        row.add(text(column.path(i)));
      }
      rows.add(row);
    }
  }

  private static String text(JsonNode value) {
    return value.isNull() || value.isMissingNode() ? "" : value.asText();
  }

  private void contexts() {
    header.addAll(List.of("kind", "row", "repeats", "activation", "text"));
    contexts("strongest", answer.path("corpus").path("contexts"));
    contexts("example", answer.path("corpus").path("examples"));
  }

  private void contexts(String kind, JsonNode contexts) {
    for (JsonNode context : contexts) {
      int at = context.path("at").intValue();
      List<String> pieces = new ArrayList<>();
      for (JsonNode piece : context.path("tokens")) {
        pieces.add(pieces.size() == at ? "[" + piece.asText() + "]" : piece.asText());
      }
      rows.add(
          List.of(
              kind,
              text(context.path("row")),
              text(context.path("repeats")),
              text(context.path("activations").path(at)),
              String.join("", pieces)));
    }
  }

  /** The table as RFC 4180 has it, in UTF-8. */
  String csv() {
    StringBuilder text = new StringBuilder(line(header));
    rows.forEach(row -> text.append(line(row)));
    return text.toString();
  }

  private static String line(List<String> cells) {
    return cells.stream().map(ExportTable::cell).collect(Collectors.joining(",", "", "\r\n"));
  }

  private static String cell(String text) {
    return text.chars().anyMatch(c -> c == ',' || c == '"' || c == '\n' || c == '\r')
        ? "\"" + text.replace("\"", "\"\"") + "\""
        : text;
  }
}
