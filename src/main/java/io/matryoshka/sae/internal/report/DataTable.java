package io.matryoshka.sae.internal.report;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/**
 * A table of up to some ten thousand rows that sorts, filters and pages in the reader's browser.
 * The rows travel as compact JSON, column by column; only one page of them is drawn at a time.
 */
public final class DataTable implements Block {

  private final String caption;
  private final List<Column> columns = new ArrayList<>();
  private final List<ArrayNode> cells = new ArrayList<>();
  private int rows = -1;

  /**
   * Starts a table without columns.
   *
   * @param caption what it shows
   */
  public DataTable(String caption) {
    this.caption = Objects.requireNonNull(caption, "caption");
  }

  /**
   * Adds a column of numbers, latents, levels or links that end in a number.
   *
   * @param column its description, of any format but text
   * @param values one for each row; NaN is an empty cell, which sorts last
   * @return this table
   * @throws IllegalArgumentException if the number of rows differs from that of an earlier column
   */
  public DataTable add(Column column, double[] values) {
    ArrayNode array = start(column, values.length, column.format() != Column.Format.TEXT);
    int kept = column.decimals() + (column.format() == Column.Format.PERCENT ? 2 : 0);
    for (double value : values) {
      if (!Double.isFinite(value)) {
        array.addNull();
      } else if (value == Math.rint(value) && Math.abs(value) < 1e15) {
        array.add((long) value);
      } else {
        BigDecimal number = BigDecimal.valueOf(value).setScale(kept, RoundingMode.HALF_EVEN);
        array.add(number.signum() == 0 ? BigDecimal.ZERO : number.stripTrailingZeros());
      }
    }
    return this;
  }

  /**
   * Adds a column of text.
   *
   * @param column its description, of format text
   * @param values one for each row; an empty text is an empty cell
   * @return this table
   * @throws IllegalArgumentException if the number of rows differs from that of an earlier column
   */
  public DataTable add(Column column, List<String> values) {
    ArrayNode array = start(column, values.size(), column.format() == Column.Format.TEXT);
    values.forEach(array::add);
    return this;
  }

  private ArrayNode start(Column column, int length, boolean fits) {
    if (!fits) {
      throw new IllegalArgumentException(
          "table '%s': column '%s' has format %s, which its values do not have"
              .formatted(caption, column.key(), column.format()));
    }
    if (rows >= 0 && rows != length) {
      throw new IllegalArgumentException(
          "table '%s': column '%s' must have %d rows as the others do, got %d"
              .formatted(caption, column.key(), rows, length));
    }
    rows = length;
    columns.add(column);
    ArrayNode array = JsonNodeFactory.instance.arrayNode(length);
    cells.add(array);
    return array;
  }

  @Override
  public String html() {
    StringBuilder out = new StringBuilder();
    out.append("<div class=\"data\" data-table><noscript><p>This table needs JavaScript; the same")
        .append(" figures are in the CSV and JSON output.</p></noscript>")
        .append("<div class=\"controls\"><label>Filter <input type=\"search\" spellcheck=\"false\"")
        .append(" placeholder=\"" + Html.escape(example()) + "\"></label></div>")
        .append("<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"")
        .append(Html.escape(caption) + "\"><table><caption class=\"hidden\">")
        .append(Html.escape(caption) + "</caption><thead><tr>");
    for (Column column : columns) {
      out.append("<th scope=\"col\" title=\"" + Html.escape(column.about()))
          .append("\"><button type=\"button\">" + Html.escape(column.name()) + "</button></th>");
    }
    return out.append("</tr></thead><tbody></tbody></table></div>")
        .append("<div class=\"pager\"></div><script type=\"application/json\">")
        .append(PageJson.write(json()))
        .append("</script></div>")
        .toString();
  }

  private String example() {
    return columns.stream()
        .filter(c -> c.format() == Column.Format.NUMBER || c.format() == Column.Format.PERCENT)
        .findFirst()
        .map(c -> "text, or " + c.key() + ">1")
        .orElse("text");
  }

  private ObjectNode json() {
    ObjectNode table = JsonNodeFactory.instance.objectNode();
    ArrayNode described = table.putArray("columns");
    for (Column column : columns) {
      ObjectNode node = described.addObject();
      node.put("key", column.key());
      node.put("format", column.format().name().toLowerCase(Locale.ROOT));
      node.put("decimals", column.decimals());
      if (!column.link().isEmpty()) {
        node.put("link", column.link());
      }
    }
    ArrayNode data = table.putArray("data");
    cells.forEach(data::add);
    table.put("rows", Math.max(0, rows));
    return table;
  }
}
