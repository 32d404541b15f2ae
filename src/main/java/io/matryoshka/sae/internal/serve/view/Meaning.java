package io.matryoshka.sae.internal.serve.view;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** What a latent stands for, in an exported page as in the page itself. */
final class Meaning {

  private static final Pattern BYTE = Pattern.compile("<0x(09|0A)>");

  private Meaning() {}

  /**
   * The label of a latent; else the tokens on which it is strongest, or the one that it promotes
   * most; empty where nothing is known.
   */
  static String of(JsonNode latent) {
    String label = latent.path("label").asText("");
    String tokens =
        Arrays.stream(latent.path("top_tokens").asText("").split(" "))
            .map(token -> plain(token).strip())
            .collect(Collectors.joining(" "));
    JsonNode promoted = latent.path("promoted");
    if (!label.isEmpty() || !tokens.isBlank() || !promoted.isTextual()) {
      return label.isEmpty() ? tokens : label;
    }
    String token = plain(promoted.textValue());
    return "promotes “%s”".formatted(token.isBlank() && !token.isEmpty() ? "␣" : token.strip());
  }

  /** A token of a vocabulary as text: ▁ is a space, {@code <0x0A>} a line break. */
  private static String plain(String token) {
    Matcher control = BYTE.matcher(token);
    return control.matches()
        ? Character.toString((char) Integer.parseInt(control.group(1), 16))
        : token.replace('▁', ' ');
  }
}
