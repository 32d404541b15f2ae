package io.matryoshka.sae.report;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/** Tokens in a row, each shaded by the activation of one latent on it. */
public final class TokenStrip implements Block {

  private final List<String> tokens;
  private final float[] activations;
  private final float full;
  private final int colour;

  /**
   * Describes a strip.
   *
   * @param tokens the tokens as the tokenizer writes them; any text
   * @param activations one for each token; those not above 0 are not shaded
   * @param full the activation with the deepest shade, such as the latent's largest
   * @param colour number of the colour: the index of the latent's Matryoshka level
   * @throws IllegalArgumentException if there are not as many activations as tokens
   */
  public TokenStrip(List<String> tokens, float[] activations, float full, int colour) {
    this.tokens = List.copyOf(tokens);
    this.activations = activations.clone();
    this.full = full;
    this.colour = colour;
    if (tokens.size() != activations.length) {
      throw new IllegalArgumentException(
          "token strip: expected one activation for each of "
              + tokens.size()
              + " tokens, got "
              + Arrays.toString(activations));
    }
  }

  @Override
  public String html() {
    StringBuilder out = new StringBuilder("<p class=\"strip " + Palette.cssClass(colour) + "\">");
    for (int i = 0; i < activations.length; i++) {
      String token = Html.escape(visible(tokens.get(i)));
      if (activations[i] > 0) {
        double depth = full > 0 ? Math.min(1, activations[i] / full) : 0;
        out.append(
            String.format(
                Locale.ROOT,
                "<span class=\"t on\" style=\"--a:%.2f\" title=\"%s\">%s</span>",
                depth,
                Numbers.compact(activations[i]),
                token));
      } else {
        out.append("<span class=\"t\">" + token + "</span>");
      }
    }
    return out.append("</p>").toString();
  }

  /** Shows white space that would vanish; page.js does the same. */
  private static String visible(String token) {
    Objects.requireNonNull(token, "token");
    return token.isEmpty() ? "∅" : token.replace("\n", "↵").replace("\t", "⇥");
  }
}
