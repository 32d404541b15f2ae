package io.matryoshka.sae.registry;

import java.util.List;
import java.util.stream.Collectors;

/** Pieces of the messages about unknown names. */
final class Messages {

  private static final int FIRST_FEW = 3;
  private static final int MAX_NAME_CHARACTERS = 200;

  private Messages() {}

  /** "did you mean ...?" with the suggestions, or the first few valid names if there are none. */
  static String hint(List<String> suggestions, List<String> valid) {
    if (!suggestions.isEmpty()) {
      return "did you mean " + quoteAll(suggestions) + "?";
    }
    List<String> first = valid.subList(0, Math.min(FIRST_FEW, valid.size()));
    return first.isEmpty() ? "there are none" : "valid are, for example, " + quoteAll(first) + ".";
  }

  /** The name in quotes, without control characters, and cut if it is very long. */
  static String quote(String name) {
    String shown = name.replaceAll("\\p{Cntrl}", "?");
    return shown.length() <= MAX_NAME_CHARACTERS
        ? "'" + shown + "'"
        : "'" + shown.substring(0, MAX_NAME_CHARACTERS) + "...'";
  }

  private static String quoteAll(List<String> names) {
    return names.stream().map(Messages::quote).collect(Collectors.joining(", "));
  }
}
