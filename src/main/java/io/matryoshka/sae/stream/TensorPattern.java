package io.matryoshka.sae.stream;

import java.util.regex.Pattern;

/** Names of tensors by a pattern with {@code *}, {@code ?} and {@code [...]}. */
final class TensorPattern {

  private TensorPattern() {}

  static boolean isPattern(String name) {
    return name.chars().anyMatch(c -> "*?[".indexOf(c) >= 0);
  }

  /** Makes a regular expression that matches whole names; all other characters are themselves. */
  static Pattern compile(String pattern) {
    StringBuilder regex = new StringBuilder();
    for (int i = 0; i < pattern.length(); i++) {
      char c = pattern.charAt(i);
      int end = c == '[' ? pattern.indexOf(']', i + 2) : -1;
      if (c == '*') {
        regex.append(".*");
      } else if (c == '?') {
        regex.append('.');
      } else if (end > 0) {
        String set = pattern.substring(i + 1, end).replace("\\", "\\\\").replace("[", "\\[");
        regex.append('[').append(set.replaceFirst("^!", "^")).append(']');
        i = end;
      } else {
        regex.append(Pattern.quote(String.valueOf(c)));
      }
    }
    return Pattern.compile(regex.toString(), Pattern.DOTALL);
  }
}
