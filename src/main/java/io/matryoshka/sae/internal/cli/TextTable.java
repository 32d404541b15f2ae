package io.matryoshka.sae.internal.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A table for people: columns two spaces apart, numbers to the right. */
final class TextTable {

  private static final String GAP = "  ";

  /** A column of text is made no narrower than this. */
  private static final int MIN_CELL = 12;

  private static final Pattern COLOUR = Pattern.compile("\u001b\\[[0-9;]*m");

  private final List<String> heads;
  private final List<List<String>> rows = new ArrayList<>();

  private TextTable(List<String> heads) {
    this.heads = heads;
  }

  /**
   * Starts a table.
   *
   * @param heads the heads of its columns; a column whose head begins with {@code >} is set to the
   *     right
   */
  static TextTable of(String... heads) {
    return new TextTable(List.of(heads));
  }

  /** Starts a list of names and values, without heads. */
  static TextTable ofFields() {
    return new TextTable(List.of());
  }

  /** Adds a row; each value is printed as {@link String#valueOf} has it. */
  TextTable row(Object... values) {
    if (!heads.isEmpty() && values.length != heads.size()) {
      throw new IllegalArgumentException(
          "expected %s values, got %s".formatted(heads.size(), values.length));
    }
    rows.add(Arrays.stream(values).map(String::valueOf).toList());
    return this;
  }

  /** Adds a row if there is a value for it. */
  TextTable field(String name, Optional<?> value) {
    value.ifPresent(v -> row(name, v));
    return this;
  }

  /** The table as Markdown has it. */
  List<String> markdown() {
    List<List<String>> all = new ArrayList<>(rows);
    all.add(0, heads.stream().map(h -> isRight(h) ? h.substring(1) : h).toList());
    all.add(1, heads.stream().map(h -> isRight(h) ? "--:" : "---").toList());
    return all.stream().map(row -> "| " + String.join(" | ", row) + " |").toList();
  }

  List<String> lines() {
    return lines(Integer.MAX_VALUE);
  }

  /** The lines, of some columns at most if that leaves each cell readable. */
  List<String> lines(int columns) {
    List<List<String>> all = new ArrayList<>(rows);
    if (!heads.isEmpty()) {
      all.add(0, heads.stream().map(h -> isRight(h) ? h.substring(1) : h).toList());
    }
    if (all.isEmpty()) {
      return List.of();
    }
    List<Integer> widths = new ArrayList<>(Collections.nCopies(all.get(0).size(), 0));
    for (List<String> row : all) {
      for (int c = 0; c < row.size(); c++) {
        widths.set(c, Math.max(widths.get(c), columns(row.get(c))));
      }
    }
    narrow(widths, columns);
    return all.stream().map(row -> line(cut(row, widths), widths)).toList();
  }

  /** Takes from the widest text column as long as the line is too wide. */
  private void narrow(List<Integer> widths, int columns) {
    int total = widths.stream().mapToInt(w -> w + GAP.length()).sum() - GAP.length();
    while (total > columns) {
      int widest = -1;
      for (int c = 0; c < widths.size(); c++) {
        boolean isText = c >= heads.size() || !isRight(heads.get(c));
        if (isText
            && widths.get(c) > MIN_CELL
            && (widest < 0 || widths.get(c) > widths.get(widest))) {
          widest = c;
        }
      }
      if (widest < 0) {
        return;
      }
      widths.set(widest, widths.get(widest) - 1);
      total--;
    }
  }

  private static List<String> cut(List<String> row, List<Integer> widths) {
    List<String> cells = new ArrayList<>();
    for (int c = 0; c < row.size(); c++) {
      String cell = row.get(c);
      cells.add(columns(cell) <= widths.get(c) ? cell : cut(cell, widths.get(c) - 1));
    }
    return cells;
  }

  /** The first columns of a text, with the colours that they have, and a mark. */
  private static String cut(String text, int columns) {
    StringBuilder kept = new StringBuilder();
    Matcher colour = COLOUR.matcher(text);
    int left = columns;
    for (int at = 0; at < text.length(); ) {
      if (colour.find(at) && colour.start() == at) {
        kept.append(colour.group());
        at = colour.end();
      } else {
        int point = text.codePointAt(at);
        if (left-- > 0) {
          kept.appendCodePoint(point);
        } else if (left == -1) {
          kept.append('…');
        }
        at += Character.charCount(point);
      }
    }
    return kept.toString();
  }

  private String line(List<String> row, List<Integer> widths) {
    Stream.Builder<String> cells = Stream.builder();
    for (int c = 0; c < row.size(); c++) {
      String pad = " ".repeat(widths.get(c) - columns(row.get(c)));
      boolean right = c < heads.size() && isRight(heads.get(c));
      cells.add(right ? pad + row.get(c) : row.get(c) + pad);
    }
    return String.join(GAP, (Iterable<String>) cells.build()::iterator).stripTrailing();
  }

  /** Columns that a text takes on a terminal; colours take none. */
  private static int columns(String text) {
    String visible = COLOUR.matcher(text).replaceAll("");
    return visible.codePointCount(0, visible.length());
  }

  private static boolean isRight(String head) {
    return head.startsWith(">");
  }
}
