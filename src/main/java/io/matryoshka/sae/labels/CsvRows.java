package io.matryoshka.sae.labels;

import java.util.ArrayList;
import java.util.List;

/** Splits CSV into rows, with quoted values as RFC 4180 has them. */
final class CsvRows {

  private final String text;
  private final List<List<String>> rows = new ArrayList<>();
  private int at;

  private CsvRows(String text) {
    this.text = text.startsWith("\ufeff") ? text.substring(1) : text;
  }

  /** Returns all rows but blank ones; throws {@link IllegalArgumentException} for a lone quote. */
  static List<List<String>> parse(String text) {
    CsvRows parser = new CsvRows(text);
    while (parser.at < parser.text.length()) {
      parser.row();
    }
    return parser.rows;
  }

  private void row() {
    List<String> row = new ArrayList<>();
    boolean more = true;
    while (more) {
      row.add(value());
      more = at < text.length() && text.charAt(at) == ',';
      if (more) {
        at++;
      }
    }
    if (at < text.length() && text.charAt(at) == '\r') {
      at++;
    }
    if (at < text.length() && text.charAt(at) == '\n') {
      at++;
    }
    if (row.size() > 1 || !row.get(0).isBlank()) {
      rows.add(row);
    }
  }

  private String value() {
    if (at < text.length() && text.charAt(at) == '"') {
      return quoted();
    }
    int begin = at;
    while (at < text.length() && ",\r\n".indexOf(text.charAt(at)) < 0) {
      at++;
    }
    return text.substring(begin, at);
  }

  private String quoted() {
    StringBuilder value = new StringBuilder();
    int begin = at++;
    while (true) {
      int end = text.indexOf('"', at);
      if (end < 0) {
        throw new IllegalArgumentException("the quote at character " + begin + " has no end");
      }
      value.append(text, at, end);
      at = end + 1;
      if (at >= text.length() || text.charAt(at) != '"') {
        break;
      }
      value.append('"');
      at++;
    }
    if (at < text.length() && ",\r\n".indexOf(text.charAt(at)) < 0) {
      throw new IllegalArgumentException("text after the quote that ends at character " + at);
    }
    return value.toString();
  }
}
