package io.matryoshka.sae.internal.spark.host;

import io.matryoshka.sae.Selection;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Selections as text, since they travel to hosts and are saved with a pipeline. */
public final class Selections {

  private static final Pattern TOP_K = Pattern.compile("(topK|batchTopK)\\((\\d{1,9})\\)");

  private Selections() {}

  /** Writes a selection; the SAE's own rule is an empty text. */
  public static String write(Optional<Selection> selection) {
    return selection.map(Selection::toString).orElse("");
  }

  /** Reads what {@link #write} gives. */
  public static Optional<Selection> parse(String text) {
    if (text.isEmpty()) {
      return Optional.empty();
    }
    if (text.equals(Selection.threshold().toString())) {
      return Optional.of(Selection.threshold());
    }
    Matcher topK = TOP_K.matcher(text);
    if (!topK.matches()) {
      throw new IllegalArgumentException(
          "selection: expected threshold, topK(K) or batchTopK(K), got '%s'".formatted(text));
    }
    int k = Integer.parseInt(topK.group(2));
    return Optional.of(topK.group(1).equals("topK") ? Selection.topK(k) : Selection.batchTopK(k));
  }
}
