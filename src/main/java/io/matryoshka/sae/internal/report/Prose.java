package io.matryoshka.sae.internal.report;

import java.util.List;

/**
 * Paragraphs of plain text.
 *
 * @param paragraphs the texts; markup in them is shown, not obeyed
 */
public record Prose(List<String> paragraphs) implements Block {

  /**
   * Copies the list.
   *
   * @param paragraphs the texts
   */
  public Prose {
    paragraphs = List.copyOf(paragraphs);
  }

  /**
   * Makes a block of paragraphs.
   *
   * @param paragraphs the texts
   * @return the block
   */
  public static Prose of(String... paragraphs) {
    return new Prose(List.of(paragraphs));
  }

  @Override
  public String html() {
    StringBuilder out = new StringBuilder();
    paragraphs.forEach(text -> out.append("<p>" + Html.escape(text) + "</p>"));
    return out.toString();
  }
}
