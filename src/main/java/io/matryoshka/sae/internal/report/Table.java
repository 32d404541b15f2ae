package io.matryoshka.sae.internal.report;

import java.util.List;
import java.util.Objects;

/**
 * A small table that stands in the page as it is; {@link DataTable} is for many rows.
 *
 * @param caption what it shows, for those who hear the page
 * @param header names of the columns
 * @param rows cells as text; the first of a row names it
 */
public record Table(String caption, List<String> header, List<List<String>> rows) implements Block {

  /**
   * Copies the lists and checks their lengths.
   *
   * @param caption what it shows
   * @param header names of the columns
   * @param rows cells as text
   * @throws IllegalArgumentException if a row is not as long as the header
   */
  public Table {
    Objects.requireNonNull(caption, "caption");
    header = List.copyOf(header);
    rows = rows.stream().map(List::copyOf).toList();
    for (List<String> row : rows) {
      if (row.size() != header.size()) {
        throw new IllegalArgumentException(
            "table '%s': every row must have %d cells, got %d: %s"
                .formatted(caption, header.size(), row.size(), row));
      }
    }
  }

  @Override
  public String html() {
    StringBuilder out = new StringBuilder();
    out.append("<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"")
        .append(Html.escape(caption) + "\"><table><caption class=\"hidden\">")
        .append(Html.escape(caption) + "</caption><thead><tr>");
    header.forEach(name -> out.append("<th scope=\"col\">" + Html.escape(name) + "</th>"));
    out.append("</tr></thead><tbody>");
    for (List<String> row : rows) {
      out.append("<tr><th scope=\"row\">" + Html.escape(row.get(0)) + "</th>");
      for (String cell : row.subList(1, row.size())) {
        out.append("<td>" + Html.escape(cell) + "</td>");
      }
      out.append("</tr>");
    }
    return out.append("</tbody></table></div>").toString();
  }
}
