package io.matryoshka.sae.stream;

import java.util.Comparator;

/** Orders texts with runs of digits compared as numbers: {@code part-2} before {@code part-10}. */
final class NaturalOrder implements Comparator<String> {

  static final NaturalOrder INSTANCE = new NaturalOrder();

  private NaturalOrder() {}

  @Override
  public int compare(String left, String right) {
    int l = 0;
    int r = 0;
    while (l < left.length() && r < right.length()) {
      int leftEnd = endOfDigits(left, l);
      int rightEnd = endOfDigits(right, r);
      int order;
      if (leftEnd > l && rightEnd > r) {
        order = compareNumbers(left.substring(l, leftEnd), right.substring(r, rightEnd));
      } else {
        leftEnd = l + 1;
        rightEnd = r + 1;
        order = Character.compare(left.charAt(l), right.charAt(r));
      }
      if (order != 0) {
        return order;
      }
      l = leftEnd;
      r = rightEnd;
    }
    int rest = Integer.compare(left.length() - l, right.length() - r);
    return rest != 0 ? rest : left.compareTo(right); // such as 07 and 7
  }

  private static int endOfDigits(String text, int begin) {
    int end = begin;
    while (end < text.length() && text.charAt(end) >= '0' && text.charAt(end) <= '9') {
      end++;
    }
    return end;
  }

  private static int compareNumbers(String left, String right) {
    String l = left.replaceFirst("^0+(?=.)", "");
    String r = right.replaceFirst("^0+(?=.)", "");
    return l.length() != r.length() ? Integer.compare(l.length(), r.length()) : l.compareTo(r);
  }
}
