package io.matryoshka.sae.internal.serve.view;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.internal.report.Block;
import io.matryoshka.sae.internal.report.KeyFigures;
import io.matryoshka.sae.internal.report.LineChart;
import io.matryoshka.sae.internal.report.Page;
import io.matryoshka.sae.internal.report.Prose;
import io.matryoshka.sae.internal.report.Scale;
import io.matryoshka.sae.internal.report.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The answer of a view as a page that opens without a network. */
final class ExportPage {

  private final Export.View view;
  private final ObjectNode answer;

  ExportPage(Export.View view, ObjectNode answer) {
    this.view = view;
    this.answer = answer;
  }

  String html() {
    Page page = new Page(title(), subtitle());
    switch (view) {
      case LATENTS -> widths(page, "explained_variance", "explained variance");
      case LOSSES -> losses(page);
      case LATENT -> latent(page);
      case INTERVENE -> changes(page);
      case COMPARE -> comparison(page);
    }
    ExportTable table = new ExportTable(view, answer);
    page.section("Values", table("The values of every row", table.header(), table.rows()));
    page.section(
        "The same numbers",
        Prose.of(
            "In Java:",
            answer.path("same").path("java").asText(),
            "On the command line:",
            answer.path("same").path("cli").asText("there is no command for it")));
    return page.html();
  }

  private String title() {
    return switch (view) {
      case LATENTS -> "Latents of a text";
      case LOSSES -> "Losses of a text";
      case LATENT -> "Latent " + answer.path("latent").asText();
      case INTERVENE -> "A change of latents";
      case COMPARE -> "Two SAEs on a text";
    };
  }

  private String subtitle() {
    return view == Export.View.COMPARE
        ? side("left") + " and " + side("right")
        : answer.path("sae").asText();
  }

  private String side(String name) {
    JsonNode side = answer.path(name);
    return side.path("sae").asText() + ", width " + side.path("width").asText();
  }

  /** A line over the prefix widths. */
  private void widths(Page page, String field, String name) {
    List<LineChart.Point> points = new ArrayList<>();
    for (JsonNode width : answer.path("widths")) {
      points.add(
          new LineChart.Point(
              width.path("width").asDouble(), width.path(field).asDouble(Double.NaN)));
    }
    page.section(
        "By prefix width",
        new LineChart(
            "By prefix width: " + name,
            "prefix width",
            Scale.LOG,
            name,
            Scale.LINEAR,
            List.of(new LineChart.Line(name, points))));
  }

  private void losses(Page page) {
    page.section(
        "Means",
        new KeyFigures()
            .add("clean", number(answer.path("clean").path("mean_loss")))
            .add("activations set to 0", number(answer.path("zero").path("mean_loss"))));
    widths(page, "mean_loss", "mean loss in nats");
  }

  private void latent(Page page) {
    KeyFigures figures = new KeyFigures();
    figures.add("level", answer.path("level").asText());
    figures.add("label", answer.path("label").path("text").asText("none"));
    figures.add("density", number(answer.path("corpus").path("density")));
    figures.add("threshold", number(answer.path("threshold")));
    page.section("Figures", figures);
    page.section("Nearest latents", nearest("decoder", "writes"), nearest("encoder", "reads"));
    if (answer.path("logits").isObject()) {
      page.section(
          "Logits",
          Prose.of("Of " + answer.path("logits").path("what").asText() + "."),
          logits("promoted"),
          logits("suppressed"));
    }
  }

  private Block nearest(String direction, String verb) {
    List<List<String>> rows = new ArrayList<>();
    for (JsonNode near : answer.path("nearest").path(direction)) {
      rows.add(
          List.of(near.path("latent").asText(), number(near.path("cosine")), Meaning.of(near)));
    }
    return table(
        "Nearest by what each latent " + verb,
        List.of("latent", "cosine", "label or tokens"),
        rows);
  }

  private Block logits(String kind) {
    List<List<String>> rows = new ArrayList<>();
    for (JsonNode token : answer.path("logits").path(kind)) {
      rows.add(List.of(token.path("text").asText(), number(token.path("logit"))));
    }
    return table("Tokens that are " + kind, List.of("token", "logit"), rows);
  }

  private void changes(Page page) {
    page.section(
        "Means",
        new KeyFigures()
            .add("clean loss", number(answer.path("clean").path("mean_loss")))
            .add("changed loss", number(answer.path("changed").path("mean_loss")))
            .add("KL", number(answer.path("changed").path("mean_kl"))));
    List<List<String>> rows = new ArrayList<>();
    for (JsonNode token : answer.path("next")) {
      rows.add(
          List.of(
              token.path("text").asText(),
              number(token.path("clean")),
              number(token.path("changed"))));
    }
    page.section(
        "Next token",
        Prose.of("After the token at position " + answer.path("position").asText() + "."),
        table("Probabilities of the next token", List.of("token", "clean", "changed"), rows));
  }

  private void comparison(Page page) {
    List<List<String>> rows = new ArrayList<>();
    for (String field : List.of("explained_variance", "l0", "mean_loss", "mean_kl", "recovered")) {
      rows.add(
          List.of(
              field.replace('_', ' '),
              number(answer.path("left").path(field)),
              number(answer.path("right").path(field))));
    }
    page.section(
        "Means", table("Both sides", List.of("figure", side("left"), side("right")), rows));
    List<List<String>> matches = new ArrayList<>();
    for (JsonNode match : answer.path("matches")) {
      matches.add(
          List.of(
              match.path("left").asText(),
              label("left", match),
              match.path("right").asText(),
              label("right", match),
              number(match.path("cosine")),
              match.path("tokens_both").asText()));
    }
    page.section(
        "Latents that belong together",
        table(
            "Nearest active latents",
            List.of("left", "left label", "right", "right label", "cosine", "tokens"),
            matches));
  }

  private String label(String side, JsonNode match) {
    return answer.path(side).path("labels").path(match.path(side).asText()).asText("");
  }

  /** A table, or a sentence where there is nothing to show. */
  private static Block table(String caption, List<String> header, List<List<String>> rows) {
    return rows.isEmpty() ? Prose.of("There is none.") : new Table(caption, header, rows);
  }

  private static String number(JsonNode value) {
    return value.isNumber() ? String.format(Locale.ROOT, "%.4f", value.doubleValue()) : "–";
  }
}
