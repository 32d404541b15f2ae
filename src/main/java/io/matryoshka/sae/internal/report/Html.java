package io.matryoshka.sae.internal.report;

import java.util.Locale;

/** Escapes text for markup. */
final class Html {

  private static final char REPLACEMENT = '\ufffd';

  private Html() {}

  /**
   * Escapes text for an element's content or a quoted attribute. Characters that HTML does not
   * allow, such as controls and halves of surrogate pairs, become U+FFFD.
   */
  static String escape(String text) {
    StringBuilder out = new StringBuilder(text.length() + 16);
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '&' -> out.append("&amp;");
        case '<' -> out.append("&lt;");
        case '>' -> out.append("&gt;");
        case '"' -> out.append("&quot;");
        case '\'' -> out.append("&#39;");
        default -> {
          if (Character.isHighSurrogate(c)
              && i + 1 < text.length()
              && Character.isLowSurrogate(text.charAt(i + 1))) {
            out.append(c).append(text.charAt(++i));
          } else {
            out.append(isAllowed(c) ? c : REPLACEMENT);
          }
        }
      }
    }
    return out.toString();
  }

  private static boolean isAllowed(char c) {
    boolean control = c < ' ' && c != '\n' && c != '\t' || c >= 0x7f && c < 0xa0;
    return !control && !Character.isSurrogate(c) && c < 0xfffe;
  }

  /** Makes the id of a section from its title: lower-case letters, digits and hyphens. */
  static String slug(String title) {
    String slug =
        title.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-").replaceAll("^-|-$", "");
    return slug.isEmpty() ? "section" : slug;
  }
}
