package io.matryoshka.sae.internal.serve.view;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.internal.filetype.JsonObjects;
import io.matryoshka.sae.labels.LabelException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.StreamSupport;

/** The findings of a file that {@code explore --json} wrote. */
final class FileFindings implements Findings {

  private static final int TOP_TOKENS = 5;

  private final long rows;
  private final Map<Integer, ObjectNode> latents = new HashMap<>();

  private FileFindings(long rows) {
    this.rows = rows;
  }

  /**
   * Reads a file.
   *
   * @throws IOException if it cannot be read, is not of {@code explore --json}, or is of an SAE
   *     with other widths
   */
  static FileFindings read(Path file, SAE sae) throws IOException {
    ObjectNode root = JsonObjects.read(file, FileFindings::fault);
    List<Integer> widths =
        StreamSupport.stream(root.path("widths").spliterator(), false)
            .map(JsonNode::asInt)
            .toList();
    if (!root.path("latents").isArray() || !root.path("rows").isIntegralNumber()) {
      throw fault(file + ": expected the result of 'explore --json', got another JSON file", null);
    }
    if (!widths.equals(sae.widths())) {
      throw fault(
          "%s: is of an SAE with the widths %s; this one has %s"
              .formatted(file, widths, sae.widths()),
          null);
    }
    FileFindings findings = new FileFindings(root.path("rows").longValue());
    for (JsonNode latent : root.path("latents")) {
      if (!(latent instanceof ObjectNode node) || !node.path("latent").isInt()) {
        throw fault(file + ": expected an object with a number 'latent' for each latent", null);
      }
      findings.latents.put(node.path("latent").intValue(), node);
    }
    return findings;
  }

  private static IOException fault(String message, Throwable cause) {
    return new LabelException(message, cause);
  }

  @Override
  public long rows() {
    return rows;
  }

  @Override
  public Optional<ObjectNode> latent(int latent) {
    return Optional.ofNullable(latents.get(latent));
  }

  @Override
  public double density(int latent) {
    return latent(latent).map(node -> node.path("density").asDouble(Double.NaN)).orElse(Double.NaN);
  }

  @Override
  public String topTokens(int latent) {
    Set<String> words = new LinkedHashSet<>();
    for (JsonNode context : latents.getOrDefault(latent, Json.object()).path("contexts")) {
      int at = context.path("row").intValue() - context.path("first_row").intValue();
      words.add(context.path("tokens").path(at).asText());
    }
    words.remove("");
    return String.join(" ", words.stream().limit(TOP_TOKENS).toList());
  }
}
