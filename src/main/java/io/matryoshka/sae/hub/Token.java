package io.matryoshka.sae.hub;

import java.util.Optional;

/** An access token that cannot be printed by accident. */
final class Token {
  private final String value;

  private Token(String value) {
    this.value = value;
  }

  /**
   * Reads a token as the Python client does: line breaks removed, trimmed, empty means none.
   *
   * @throws IllegalArgumentException if it holds a character that no header may carry; the message
   *     names the source, not the token
   */
  static Optional<Token> parse(String text, String source) {
    String value = text.replace("\r", "").replace("\n", "").strip();
    if (value.isEmpty()) {
      return Optional.empty();
    }
    if (value.chars().anyMatch(c -> c <= ' ' || c > '~')) {
      throw new IllegalArgumentException(
          "token: the one from "
              + source
              + " holds a blank or a character outside ASCII, which no Hub token does;"
              + " copy it again from https://huggingface.co/settings/tokens");
    }
    return Optional.of(new Token(value));
  }

  String authorization() {
    return "Bearer " + value;
  }

  /** Removes the token from a text that came from outside. */
  String redact(String text) {
    return text.replace(value, "[token]");
  }

  @Override
  public String toString() {
    return "Token[hidden]";
  }
}
