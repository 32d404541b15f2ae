package io.matryoshka.sae.internal.cli;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * A range of numbers, both ends included.
 *
 * @param first the first number, from 0
 * @param last the last number
 */
record IntRange(int first, int last) {

  private static final Pattern FORM = Pattern.compile("(\\d{1,9})(?:-(\\d{1,9}))?");

  boolean contains(int number) {
    return first <= number && number <= last;
  }

  /** The numbers of the range, rising. */
  Stream<Integer> stream() {
    return IntStream.rangeClosed(first, last).boxed();
  }

  /** Reads {@code 3} or {@code 0-12}. */
  static final class Converter implements ITypeConverter<IntRange> {

    @Override
    public IntRange convert(String value) {
      Matcher matcher = FORM.matcher(value);
      if (matcher.matches()) {
        int first = Integer.parseInt(matcher.group(1));
        int last = matcher.group(2) == null ? first : Integer.parseInt(matcher.group(2));
        if (first <= last) {
          return new IntRange(first, last);
        }
      }
      throw new TypeConversionException(
          "expected a number or a rising range such as 0-12, got '" + value + "'");
    }
  }

  @Override
  public String toString() {
    return first == last ? Integer.toString(first) : first + "-" + last;
  }
}
