package io.matryoshka.sae.internal.filetype;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;

/** Says what is wrong with a JSON text in the words of someone who never heard of its parser. */
public final class JsonProblems {

  private JsonProblems() {}

  /**
   * Describes a text that is no JSON.
   *
   * @param failure what the parser says
   * @return the problem, with line and column where they are known
   */
  public static String describe(JsonProcessingException failure) {
    String problem =
        failure
            .getOriginalMessage()
            .replaceAll(
                "\\s*\\(start marker at \\[Source: .*?line: (\\d+).*?\\]\\)", " from line $1")
            .replaceAll("\\s*\\(for `[^`]*`\\)", "");
    if (problem.startsWith("Trailing token")) {
      problem = "one JSON value was expected, and more follows it";
    }
    JsonLocation place = failure.getLocation();
    return place == null
        ? problem
        : "%s (line %d, column %d)".formatted(problem, place.getLineNr(), place.getColumnNr());
  }
}
