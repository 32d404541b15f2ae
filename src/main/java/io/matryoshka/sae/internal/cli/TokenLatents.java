package io.matryoshka.sae.internal.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.ActiveLatent;
import io.matryoshka.sae.Levels;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.labels.Label;
import io.matryoshka.sae.labels.Labels;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** The strongest latents of some tokens, a column for each level. */
final class TokenLatents {

  private static final int DIGITS = 2;

  private final Levels levels;
  private final int perLevel;
  private final boolean hasTexts;
  private final List<Token> tokens = new ArrayList<>();

  /** One token: its strongest latents at each level, strongest first. */
  private record Token(int row, String text, int active, List<List<ActiveLatent>> byLevel) {}

  /**
   * Starts with no token.
   *
   * @param levels the levels of the SAE
   * @param perLevel latents kept for each level
   * @param hasTexts whether tokens have texts to show
   */
  TokenLatents(Levels levels, int perLevel, boolean hasTexts) {
    this.levels = levels;
    this.perLevel = perLevel;
    this.hasTexts = hasTexts;
  }

  /**
   * Adds a token.
   *
   * @param row its row in the input
   * @param text its text, if tokens have texts
   * @param latents holds its latents
   * @param index its row there
   */
  void add(int row, String text, SparseLatents latents, int index) {
    List<List<ActiveLatent>> byLevel = new ArrayList<>();
    SparseLatents single = latents.rows(index, index + 1);
    for (int level = 0; level < levels.count(); level++) {
      byLevel.add(single.range(levels.from(level), levels.to(level)).strongest(0, perLevel));
    }
    tokens.add(new Token(row, text, single.activeCount(), byLevel));
  }

  /** Whether a latent is among those kept for some token. */
  boolean shows(int latent) {
    return tokens.stream()
        .flatMap(token -> token.byLevel().stream())
        .flatMap(List::stream)
        .anyMatch(active -> active.latent() == latent);
  }

  /** For people: latents as {@code index:activation}. */
  TextTable table(boolean colours) {
    List<String> heads = new ArrayList<>(hasTexts ? List.of("token") : List.of(">row"));
    heads.add(">L0");
    for (int level = 0; level < levels.count(); level++) {
      heads.add(
          LevelColours.paint(
              "level %d (%d-%d)".formatted(level, levels.from(level), levels.to(level) - 1),
              level,
              colours));
    }
    TextTable table = TextTable.of(heads.toArray(new String[0]));
    for (Token token : tokens) {
      List<Object> cells = new ArrayList<>();
      cells.add(hasTexts ? token.text() : token.row());
      cells.add(token.active());
      for (int level = 0; level < levels.count(); level++) {
        String cell = cell(token.byLevel().get(level));
        cells.add(LevelColours.paint(cell, level, colours && !cell.isEmpty()));
      }
      table.row(cells.toArray());
    }
    return table;
  }

  private static String cell(List<ActiveLatent> latents) {
    return latents.stream()
        .map(a -> a.latent() + ":" + Numbers.fixed(a.activation(), DIGITS))
        .collect(Collectors.joining(" "));
  }

  /** For people: what the latents of the table are said to stand for; empty if nothing is known. */
  Optional<TextTable> labels(Labels labels) {
    TextTable table = TextTable.of(">latent", "label", "by");
    List<Label> known =
        tokens.stream()
            .flatMap(token -> token.byLevel().stream())
            .flatMap(List::stream)
            .map(ActiveLatent::latent)
            .distinct()
            .sorted()
            .flatMap(latent -> labels.find(latent).stream())
            .toList();
    known.forEach(label -> table.row(label.latent(), label.text(), label.provenance()));
    return known.isEmpty() ? Optional.empty() : Optional.of(table);
  }

  /** For machines: one object a token. */
  List<ObjectNode> json(Labels labels) {
    List<ObjectNode> rows = new ArrayList<>();
    for (Token token : tokens) {
      ObjectNode row = Output.object().put("row", token.row());
      if (hasTexts) {
        row.put("token", token.text());
      }
      row.put("l0", token.active());
      ArrayNode latents = row.putArray("latents");
      for (int level = 0; level < levels.count(); level++) {
        for (ActiveLatent active : token.byLevel().get(level)) {
          ObjectNode node =
              latents
                  .addObject()
                  .put("latent", active.latent())
                  .put("activation", active.activation())
                  .put("level", level);
          labels
              .find(active.latent())
              .ifPresent(
                  label -> node.put("label", label.text()).put("label_by", label.provenance()));
        }
      }
      rows.add(row);
    }
    return rows;
  }
}
