package io.matryoshka.sae.internal.serve.view;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/** A list of latents by level, label and density. */
final class SearchView {

  private static final int MOST = 200;

  private final OpenSae open;
  private final Optional<Findings> findings;
  private final Optional<float[]> published;

  private SearchView(OpenSae open) {
    this.open = open;
    this.findings = open.corpus().findings();
    this.published = open.sae().logSparsity();
  }

  static ObjectNode of(OpenSae open, Query query) {
    return new SearchView(open).found(query);
  }

  private ObjectNode found(Query query) {
    String wanted = query.text("query").orElse("").strip().toLowerCase(Locale.ROOT);
    OptionalInt level = query.optionalNumber("level", 0, open.levels().count() - 1);
    String sort = query.text("sort").orElse("latent");
    int offset = query.optionalNumber("offset", 0, Integer.MAX_VALUE).orElse(0);
    int limit = query.optionalNumber("limit", 1, MOST).orElse(50);
    query.requireNoOther();
    List<Integer> latents =
        IntStream.range(
                level.isPresent() ? open.levels().from(level.getAsInt()) : 0,
                level.isPresent() ? open.levels().to(level.getAsInt()) : open.sae().dSae())
            .filter(latent -> matches(latent, wanted))
            .boxed()
            .sorted(order(sort))
            .toList();
    ObjectNode node = Json.object().put("total", latents.size());
    ArrayNode array = node.putArray("latents");
    latents.stream().skip(offset).limit(limit).forEach(latent -> array.add(json(latent)));
    return node;
  }

  private boolean matches(int latent, String wanted) {
    return wanted.isEmpty()
        || wanted.equals(Integer.toString(latent))
        || open.labels().text(latent).orElse("").toLowerCase(Locale.ROOT).contains(wanted);
  }

  private Comparator<Integer> order(String sort) {
    Comparator<Integer> rising = Comparator.naturalOrder();
    return switch (sort) {
      case "latent" -> rising;
      case "density" -> Comparator.<Integer>comparingDouble(this::density).thenComparing(rising);
      case "-density" ->
          Comparator.<Integer>comparingDouble(
                  latent -> Double.isNaN(density(latent)) ? Double.NaN : -density(latent))
              .thenComparing(rising);
      case "label" ->
          Comparator.<Integer, Boolean>comparing(latent -> open.labels().text(latent).isEmpty())
              .thenComparing(latent -> open.labels().text(latent).orElse(""))
              .thenComparing(rising);
      default ->
          throw ViewException.badRequest(
              "sort: expected latent, density, -density or label, got '%.40s'".formatted(sort));
    };
  }

  private double density(int latent) {
    double counted = findings.map(found -> found.density(latent)).orElse(Double.NaN);
    return Double.isNaN(counted)
        ? published.map(log -> Math.pow(10, log[latent])).orElse(Double.NaN)
        : counted;
  }

  private ObjectNode json(int latent) {
    ObjectNode node = Json.object().put("latent", latent).put("level", open.levels().of(latent));
    Json.put(node, "label", open.labels().text(latent));
    Json.put(node, "density", density(latent));
    Json.put(node, "top_tokens", findings.flatMap(found -> found.words(latent)));
    return node;
  }
}
