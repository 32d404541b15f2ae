package io.matryoshka.sae.internal.cli;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/** Finds what somebody meant who mistyped the name of a command or an option. */
final class Spelling {

  private static final int MOST = 2;

  /** Of this many characters, one may be wrong. */
  private static final int CHARACTERS_PER_MISTAKE = 3;

  private Spelling() {}

  /**
   * Returns the names that are a slip away from what was typed, or begin with it, nearest first.
   *
   * @param given what was typed
   * @param valid the names that there are
   */
  static List<String> nearest(String given, Collection<String> valid) {
    String bare = bare(given);
    int allowed = Math.max(1, bare.length() / CHARACTERS_PER_MISTAKE);
    return valid.stream()
        .filter(name -> bare(name).length() > 1)
        .filter(name -> isBegin(bare, bare(name)) || distance(bare, bare(name)) <= allowed)
        .sorted(
            Comparator.<String>comparingInt(name -> distance(bare, bare(name)))
                .thenComparing(Comparator.naturalOrder()))
        .limit(MOST)
        .toList();
  }

  /** The names as a question, to be put after what is wrong; empty if none is near. */
  static String question(String given, Collection<String> valid) {
    List<String> names = nearest(given, valid);
    return names.isEmpty() ? "" : "; did you mean %s?".formatted(String.join(" or ", names));
  }

  private static boolean isBegin(String begin, String name) {
    return begin.length() > 1 && name.startsWith(begin);
  }

  private static String bare(String name) {
    return name.replaceFirst("^-+", "");
  }

  /**
   * The characters to insert, delete, replace or swap with their neighbour to turn one text into
   * the other (optimal string alignment).
   */
  private static int distance(String a, String b) {
    int[][] d = new int[a.length() + 1][b.length() + 1];
    for (int i = 0; i <= a.length(); i++) {
      for (int j = 0; j <= b.length(); j++) {
        if (i == 0 || j == 0) {
          d[i][j] = i + j;
          continue;
        }
        int replaced = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
        d[i][j] = Math.min(d[i - 1][j - 1] + replaced, Math.min(d[i - 1][j] + 1, d[i][j - 1] + 1));
        if (i > 1
            && j > 1
            && a.charAt(i - 1) == b.charAt(j - 2)
            && a.charAt(i - 2) == b.charAt(j - 1)) {
          d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
        }
      }
    }
    return d[a.length()][b.length()];
  }
}
