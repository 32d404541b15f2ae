package io.matryoshka.sae.registry;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.function.ToIntFunction;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Finds the valid names nearest to a mistaken one.
 *
 * <p>Nearness is the mean of two shares in 0 to 1: of the words and numbers of the mistaken name
 * that the valid one has too, and of the characters that need no edit.
 */
final class Suggestions {

  private static final int LIMIT = 3;

  /** Below this two names have too little in common to be worth a hint. */
  private static final double MINIMUM_NEARNESS = 0.35;

  /** Bounds the cost of the edit distance; every published name is shorter. */
  private static final int MAX_COMPARED_CHARACTERS = 200;

  private static final Pattern TOKEN = Pattern.compile("[a-z]+|[0-9]+");
  private static final Pattern NAMED_LAYER =
      Pattern.compile("(?:blocks?|layers?)[^a-z0-9]*([0-9]{1,6})(?![0-9])");
  private static final Pattern NUMBER = Pattern.compile("(?<![0-9])[0-9]{1,6}(?![0-9])");

  private Suggestions() {}

  /** Returns at most three of the names, the nearest first, ties in the order given. */
  static List<String> names(String given, List<String> valid) {
    String query = normalise(given);
    return valid.stream()
        .filter(name -> nearness(query, normalise(name)) >= MINIMUM_NEARNESS)
        .sorted(Comparator.comparingDouble(name -> -nearness(query, normalise(name))))
        .limit(LIMIT)
        .toList();
  }

  /**
   * As {@link #names}, but if the text names a layer, only SAEs of that layer, or of the nearest
   * one that has any.
   */
  static List<String> saes(String given, List<SaeEntry> valid) {
    String query = normalise(given);
    OptionalInt layer = layerIn(query);
    List<SaeEntry> layered = valid.stream().filter(sae -> sae.layer().isPresent()).toList();
    if (layer.isEmpty() || layered.isEmpty()) {
      return names(given, valid.stream().map(SaeEntry::saeId).toList());
    }
    ToIntFunction<SaeEntry> distance = sae -> Math.abs(sae.layer().getAsInt() - layer.getAsInt());
    int smallest = layered.stream().mapToInt(distance).min().getAsInt();
    return layered.stream()
        .filter(sae -> distance.applyAsInt(sae) == smallest)
        .map(SaeEntry::saeId)
        .sorted(Comparator.comparingDouble(id -> -nearness(query, normalise(id))))
        .limit(LIMIT)
        .toList();
  }

  /** The number after "block" or "layer", else the only number of the text. */
  private static OptionalInt layerIn(String query) {
    Matcher named = NAMED_LAYER.matcher(query);
    if (named.find()) {
      return OptionalInt.of(Integer.parseInt(named.group(1)));
    }
    List<String> numbers = NUMBER.matcher(query).results().map(MatchResult::group).toList();
    return numbers.size() == 1
        ? OptionalInt.of(Integer.parseInt(numbers.get(0)))
        : OptionalInt.empty();
  }

  private static String normalise(String name) {
    String cut = name.substring(0, Math.min(name.length(), MAX_COMPARED_CHARACTERS));
    return cut.strip().toLowerCase(Locale.ROOT);
  }

  private static double nearness(String query, String name) {
    double longest = Math.max(1, Math.max(query.length(), name.length()));
    double kept = 1 - editDistance(query, name) / longest;
    return (kept + foundTokens(query, name)) / 2;
  }

  private static double foundTokens(String query, String name) {
    List<String> wanted = tokens(query);
    List<String> left = tokens(name);
    long found = wanted.stream().filter(left::remove).count();
    return found / Math.max(1.0, wanted.size());
  }

  private static List<String> tokens(String name) {
    return new ArrayList<>(TOKEN.matcher(name).results().map(MatchResult::group).toList());
  }

  /** The number of characters to insert, delete or replace to turn one text into the other. */
  private static int editDistance(String a, String b) {
    int[] previous = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      previous[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int[] row = new int[b.length() + 1];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replaced = previous[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        row[j] = Math.min(replaced, Math.min(previous[j], row[j - 1]) + 1);
      }
      previous = row;
    }
    return previous[b.length()];
  }
}
