package io.matryoshka.sae.internal.serve.view;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Writes the calls that give the numbers of a view: in Java, and for a POSIX shell. */
final class SameCalls {

  private static final String PROGRAM = "matryoshka-sae";
  private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9_./:=@%+,-]+");

  private SameCalls() {}

  static void put(ObjectNode node, String java, Optional<String> cli) {
    ObjectNode same = node.putObject("same").put("java", java);
    Json.put(same, "cli", cli);
  }

  /** Wraps statements in what opens the SAE and its model. */
  static String javaWithModel(SaeName name, String statements) {
    return "try (SAE sae = %s;\n    LanguageModel model = %s) {\n%s\n}"
        .formatted(name.java(), name.javaModel(), statements.indent(2).stripTrailing());
  }

  /** Wraps statements in what opens the SAE. */
  static String java(SaeName name, String statements) {
    return "try (SAE sae = %s) {\n%s\n}"
        .formatted(name.java(), statements.indent(2).stripTrailing());
  }

  /** A command on an SAE. */
  static String cli(String command, SaeName name, List<String> words) {
    return PROGRAM
        + " "
        + command
        + " "
        + Stream.concat(name.words().stream(), words.stream())
            .map(SameCalls::quoted)
            .collect(Collectors.joining(" "));
  }

  /** A word for a POSIX shell. */
  static String quoted(String word) {
    return PLAIN.matcher(word).matches() ? word : "'" + word.replace("'", "'\\''") + "'";
  }

  /** A text as a literal of Java. */
  static String literal(String text) {
    StringBuilder literal = new StringBuilder("\"");
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> literal.append("\\\"");
        case '\\' -> literal.append("\\\\");
        case '\n' -> literal.append("\\n");
        case '\r' -> literal.append("\\r");
        case '\t' -> literal.append("\\t");
        default -> {
          boolean hidden = Character.isISOControl(c) || Character.getType(c) == Character.FORMAT;
          literal.append(hidden ? "\\u%04x".formatted((int) c) : String.valueOf(c));
        }
      }
    }
    return literal.append('"').toString();
  }

  /** A number without a needless point. */
  static String number(double value) {
    return value == Math.rint(value) && Math.abs(value) < 1e9
        ? Long.toString((long) value)
        : Float.toString((float) value);
  }
}
