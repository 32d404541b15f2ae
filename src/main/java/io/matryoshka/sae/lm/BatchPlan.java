package io.matryoshka.sae.lm;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** Which texts go through the model together: those of like length, up to a number of tokens. */
final class BatchPlan {

  /** Tokens of a pass, padding included; a longer text goes alone. */
  private static final int PASS_TOKENS = 1024;

  private final List<Tokens> texts;
  private final List<List<Integer>> groups = new ArrayList<>();

  BatchPlan(List<Tokens> texts) {
    this.texts = List.copyOf(texts);
    List<Integer> longestFirst =
        IntStream.range(0, texts.size())
            .boxed()
            .sorted(Comparator.comparingInt((Integer i) -> -texts.get(i).size()))
            .toList();
    List<Integer> group = new ArrayList<>();
    for (int text : longestFirst) {
      int longest = group.isEmpty() ? 0 : texts.get(group.get(0)).size();
      if (!group.isEmpty() && (group.size() + 1) * (long) longest > PASS_TOKENS) {
        groups.add(group);
        group = new ArrayList<>();
      }
      group.add(text);
    }
    groups.add(group);
  }

  /** The texts of each pass. */
  List<List<Tokens>> passes() {
    return groups.stream().map(group -> group.stream().map(texts::get).toList()).toList();
  }

  /** The first row of each text where all texts lie one after the other, and the number of rows. */
  int[] rowOffsets() {
    int[] offsets = new int[texts.size() + 1];
    for (int i = 0; i < texts.size(); i++) {
      offsets[i + 1] = Math.addExact(offsets[i], texts.get(i).size());
    }
    return offsets;
  }

  /** For each row in the order of the texts, its row in the order of the passes. */
  long[] rowsOfPasses() {
    int[] offsets = rowOffsets();
    long[] rows = new long[offsets[texts.size()]];
    int next = 0;
    for (List<Integer> group : groups) {
      for (int text : group) {
        for (int i = 0; i < texts.get(text).size(); i++) {
          rows[offsets[text] + i] = next++;
        }
      }
    }
    return rows;
  }
}
