package io.matryoshka.sae.internal.serve.page;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Cuts a text into tokens and gives each latents, always the same ones for the same token. */
final class MadeText {

  static final int[] WIDTHS = {32, 128, 512, 2048};

  private static final Pattern PIECE =
      Pattern.compile(
          "\\n|[\\x{10000}-\\x{10FFFF}]| ?\\p{L}{1,6}| ?[^\\s\\p{L}\\x{10000}-\\x{10FFFF}]|\\s");

  private static final double[] LEVEL_SHARES = {0.52, 0.23, 0.15, 0.1};

  /** A token as the vocabulary spells it, and where it stands; {@code start} below 0 if nowhere. */
  record Token(String text, int start, int end) {

    boolean special() {
      return start < 0;
    }

    Map<String, Object> json() {
      Map<String, Object> json = new LinkedHashMap<>();
      json.put("id", special() ? 2 : Math.floorMod(text.hashCode(), 4096));
      json.put("text", text);
      json.put("start", special() ? null : start);
      json.put("end", special() ? null : end);
      json.put("special", special());
      json.put("counted", !special());
      return json;
    }
  }

  private MadeText() {}

  static List<Token> tokens(String text) {
    List<Token> tokens = new ArrayList<>(List.of(new Token("<bos>", -1, -1)));
    Matcher piece = PIECE.matcher(text);
    while (piece.find()) {
      if (Character.isSupplementaryCodePoint(piece.group().codePointAt(0))) {
        for (byte b : piece.group().getBytes(java.nio.charset.StandardCharsets.UTF_8)) {
          tokens.add(new Token(String.format("<0x%02X>", b), piece.start(), piece.end()));
        }
      } else {
        tokens.add(new Token(piece.group().replace(' ', '▁'), piece.start(), piece.end()));
      }
    }
    return tokens;
  }

  /** Active latents of a token, strongest first. */
  static List<List<Number>> latents(Token token, int width) {
    List<List<Number>> found = new ArrayList<>();
    for (int level = 0; !token.special() && level < WIDTHS.length; level++) {
      int from = level == 0 ? 0 : WIDTHS[level - 1];
      for (int k = 0; k < 3; k++) {
        int latent = from + (int) (made(token.text(), 10 * level + k) * (WIDTHS[level] - from));
        double activation = (0.4 + 9 * made(token.text(), 50 + 10 * level + k)) / (k + 1);
        boolean again = found.stream().anyMatch(pair -> pair.get(0).intValue() == latent);
        if (latent < width && !again) {
          found.add(List.of(latent, Math.round(activation * 1000) / 1000.0));
        }
      }
    }
    found.sort((a, b) -> Double.compare(b.get(1).doubleValue(), a.get(1).doubleValue()));
    return found;
  }

  static List<Double> shares(Token token) {
    List<Double> shares = new ArrayList<>();
    double rest = 1;
    for (int level = 0; level < WIDTHS.length; level++) {
      boolean last = level == WIDTHS.length - 1;
      double share = LEVEL_SHARES[level] * (0.5 + made(token.text(), 90 + level)) - 0.02;
      shares.add(token.special() ? null : last ? Double.valueOf(rest) : Double.valueOf(share));
      rest -= share;
    }
    return shares;
  }

  /** What a prefix leaves of the token's variance. */
  static Double error(Token token, int width) {
    double left = 1;
    for (int level = 0; level < WIDTHS.length && WIDTHS[level] <= width; level++) {
      left -= LEVEL_SHARES[level] * (0.6 + 0.4 * made(token.text(), 120 + level));
    }
    return token.special() ? null : Double.valueOf(left);
  }

  /** A number from 0 to 1 that belongs to a text and a purpose. */
  static double made(String text, int purpose) {
    long mixed = (text.hashCode() * 31L + purpose) * 0x9E3779B97F4A7C15L;
    mixed ^= mixed >>> 32;
    mixed *= 0xD6E8FEB86659FD93L;
    return (mixed >>> 11) / (double) (1L << 53);
  }
}
