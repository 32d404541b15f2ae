package io.matryoshka.sae.internal.report;

import java.util.List;

/**
 * Blocks beside each other where the screen is wide enough, else one below the other.
 *
 * @param blocks the blocks, usually charts
 */
public record Row(List<Block> blocks) implements Block {

  /**
   * Copies the list.
   *
   * @param blocks the blocks
   */
  public Row {
    blocks = List.copyOf(blocks);
  }

  /**
   * Puts blocks beside each other.
   *
   * @param blocks the blocks
   * @return the row
   */
  public static Row of(Block... blocks) {
    return new Row(List.of(blocks));
  }

  @Override
  public String html() {
    StringBuilder out = new StringBuilder("<div class=\"row\">");
    blocks.forEach(block -> out.append(block.html()));
    return out.append("</div>").toString();
  }
}
