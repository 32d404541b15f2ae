package io.matryoshka.sae.internal.report;

import java.util.Objects;

/**
 * A column of a {@link DataTable}.
 *
 * @param key short name that a filter uses, such as {@code density} in {@code density>0.01}:
 *     lower-case letters, digits and {@code _}
 * @param name heading
 * @param about one sentence on what the numbers mean, shown on hovering
 * @param format how cells are shown and compared
 * @param decimals digits after the point of {@link Format#NUMBER} and {@link Format#PERCENT}; more
 *     are not kept in the page
 * @param link what comes before the cell's text in the address of a {@link Format#LINK}; empty for
 *     other formats
 */
public record Column(
    String key, String name, String about, Format format, int decimals, String link) {

  /** How the cells of a column are shown and compared. */
  public enum Format {
    /** Text, compared by character. */
    TEXT,
    /** A number. */
    NUMBER,
    /** A share of one, shown in percent. */
    PERCENT,
    /** The index of a latent, with a link to its part of the page. */
    LATENT,
    /** The index of a Matryoshka level, in its colour; a menu filters by it. */
    LEVEL,
    /** The last part of an address elsewhere, shown as a link. */
    LINK
  }

  /**
   * Checks the parts.
   *
   * @param key short name that a filter uses
   * @param name heading
   * @param about what the numbers mean
   * @param format how cells are shown
   * @param decimals digits after the point, 0 to 9
   * @param link start of the address, {@code https://...}, or empty
   * @throws IllegalArgumentException if a part breaks these rules
   */
  public Column {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(about, "about");
    Objects.requireNonNull(format, "format");
    if (!key.matches("[a-z][a-z0-9_]*")) {
      throw new IllegalArgumentException(
          "column key: expected lower-case letters, digits and _, got '" + key + "'");
    }
    if (decimals < 0 || decimals > 9) {
      throw new IllegalArgumentException(
          "column '" + key + "': decimals must lie in 0..9, got " + decimals);
    }
    if (format == Format.LINK ? !link.startsWith("https://") : !link.isEmpty()) {
      throw new IllegalArgumentException(
          "column '"
              + key
              + "': a link column, and no other, needs an address that starts with https://, got '"
              + link
              + "'");
    }
  }

  /**
   * Describes a column of text.
   *
   * @param key short name for filters
   * @param name heading
   * @param about what it holds
   * @return the column
   */
  public static Column text(String key, String name, String about) {
    return new Column(key, name, about, Format.TEXT, 0, "");
  }

  /**
   * Describes a column of numbers.
   *
   * @param key short name for filters
   * @param name heading
   * @param about what the numbers mean
   * @param decimals digits after the point
   * @return the column
   */
  public static Column number(String key, String name, String about, int decimals) {
    return new Column(key, name, about, Format.NUMBER, decimals, "");
  }

  /**
   * Describes a column of shares, shown in percent.
   *
   * @param key short name for filters, which compare with the share in percent
   * @param name heading
   * @param about what the shares mean
   * @param decimals digits after the point of the percentage
   * @return the column
   */
  public static Column percent(String key, String name, String about, int decimals) {
    return new Column(key, name, about, Format.PERCENT, decimals, "");
  }

  /**
   * Describes a column of latents.
   *
   * @param key short name for filters
   * @param name heading
   * @param about which latent it is
   * @return the column
   */
  public static Column latent(String key, String name, String about) {
    return new Column(key, name, about, Format.LATENT, 0, "");
  }

  /**
   * Describes a column of Matryoshka levels.
   *
   * @param key short name for filters
   * @param name heading
   * @param about which level it is
   * @return the column
   */
  public static Column level(String key, String name, String about) {
    return new Column(key, name, about, Format.LEVEL, 0, "");
  }

  /**
   * Describes a column of links.
   *
   * @param key short name for filters
   * @param name heading
   * @param about where the links lead
   * @param link what comes before the cell's text in the address, {@code https://...}
   * @return the column
   */
  public static Column link(String key, String name, String about, String link) {
    return new Column(key, name, about, Format.LINK, 0, link);
  }
}
