package io.matryoshka.sae.internal.filetype;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import java.util.List;
import java.util.regex.Pattern;

/** Says what is wrong with a JSON text in the words of someone who never heard of its parser. */
public final class JsonProblems {

  /**
   * Words of the parser, and what to say in their place.
   *
   * @param isJson whether the text is JSON all the same, which is more than is read
   */
  private record Wording(Pattern pattern, String words, boolean isJson) {

    static Wording ofJson(String pattern, String words) {
      return new Wording(Pattern.compile(pattern), words, true);
    }

    static Wording ofOther(String pattern, String words) {
      return new Wording(Pattern.compile(pattern), words, false);
    }
  }

  private static final List<Wording> WORDINGS =
      List.of(
          Wording.ofJson(
              "Document nesting depth \\((\\d+)\\) exceeds the maximum allowed \\((\\d+).*",
              "lists and objects lie $1 deep in each other, and at most $2 are read"),
          Wording.ofJson(
              "Number value length \\((\\d+)\\) exceeds the maximum allowed \\((\\d+).*",
              "a number has $1 digits, and at most $2 are read"),
          Wording.ofJson(
              "(?:String value|Name) length \\((\\d+)\\) exceeds the maximum allowed \\((\\d+).*",
              "a text has $1 characters, and at most $2 are read"),
          Wording.ofJson("Duplicate field '(.*)'", "the key '$1' stands there twice"),
          Wording.ofOther("Trailing token.*", "one JSON value was expected, and more follows it"),
          Wording.ofOther(
              "Non-standard token '([^']*)'.*", "$1 stands there, which is no value of JSON"),
          Wording.ofOther(": maybe a \\(non-standard\\) comment\\?.*", "; JSON has no comments"),
          Wording.ofOther(
              "\\s*\\(start marker at \\[Source: .*?line: (\\d+).*?\\]\\)", " from line $1"),
          Wording.ofOther("\\s*\\(for `[^`]*`\\)", ""));

  private JsonProblems() {}

  /**
   * Describes a text that is no JSON, or more than is read.
   *
   * @param failure what the parser says
   * @return the problem, with line and column where they are known
   */
  public static String describe(JsonProcessingException failure) {
    String problem = failure.getOriginalMessage();
    for (Wording wording : WORDINGS) {
      problem = wording.pattern().matcher(problem).replaceAll(wording.words());
    }
    JsonLocation place = failure.getLocation();
    return place == null
        ? problem
        : "%s (line %d, column %d)".formatted(problem, place.getLineNr(), place.getColumnNr());
  }

  /**
   * Describes what is wrong with a text of a name.
   *
   * @param name of the text, such as a path
   * @param failure what the parser says
   * @return the name and {@link #sentence}
   */
  public static String describe(String name, JsonProcessingException failure) {
    return name + ": " + sentence(failure);
  }

  /**
   * Describes a text, and calls it no JSON only where it is none.
   *
   * @param failure what the parser says
   * @return the problem
   */
  public static String sentence(JsonProcessingException failure) {
    boolean isJson =
        WORDINGS.stream()
            .anyMatch(w -> w.isJson() && w.pattern().matcher(failure.getOriginalMessage()).find());
    return (isJson ? "" : "not JSON: ") + describe(failure);
  }
}
