package io.matryoshka.sae.labels;

import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What somebody says that a latent stands for.
 *
 * @param latent the index of the latent, counted from 0
 * @param text the explanation: foreign text, without line breaks and control characters
 * @param model the model that wrote it, such as {@code gpt-4o-mini}; empty if unknown
 * @param method how it was made, such as {@code oai_token-act-pair}; empty if unknown
 * @param author the account that published it; empty if unknown
 * @param date the day on which it was made, as {@code 2024-09-17}; empty if unknown
 */
public record Label(
    int latent,
    String text,
    Optional<String> model,
    Optional<String> method,
    Optional<String> author,
    Optional<String> date) {

  /** The longest text that is kept, in characters; longer ones are cut. */
  public static final int MAX_CHARACTERS = 2000;

  /**
   * Replaces line breaks and control characters by spaces, and cuts a text that is too long.
   *
   * @param latent the index of the latent
   * @param text the explanation
   * @param model the model that wrote it
   * @param method how it was made
   * @param author the account that published it
   * @param date the day on which it was made
   * @throws IllegalArgumentException if the index is negative or the text is blank
   */
  public Label {
    if (latent < 0) {
      throw new IllegalArgumentException("latent: expected at least 0, got " + latent);
    }
    text = clean(Objects.requireNonNull(text, "text"));
    if (text.isEmpty()) {
      throw new IllegalArgumentException("the label of latent " + latent + " is blank");
    }
    model = model.map(Label::clean).filter(value -> !value.isEmpty());
    method = method.map(Label::clean).filter(value -> !value.isEmpty());
    author = author.map(Label::clean).filter(value -> !value.isEmpty());
    date = date.map(Label::clean).filter(value -> !value.isEmpty());
  }

  /** Removes what could move a terminal's cursor or change the direction of a line. */
  private static String clean(String text) {
    String plain = text.replaceAll("[\\p{Cntrl}\\p{Cf}\\p{Zl}\\p{Zp}]+", " ").strip();
    if (plain.length() <= MAX_CHARACTERS) {
      return plain;
    }
    int end = MAX_CHARACTERS - 1;
    return plain.substring(0, Character.isHighSurrogate(plain.charAt(end - 1)) ? end - 1 : end)
        + "…";
  }

  /**
   * Says where the label comes from.
   *
   * @return such as {@code gpt-4o-mini, 2024-09-17}; empty if nothing is known
   */
  public String provenance() {
    return Stream.of(model.or(() -> author), date)
        .flatMap(Optional::stream)
        .collect(Collectors.joining(", "));
  }
}
