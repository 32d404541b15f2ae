package io.matryoshka.sae.internal.report;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Locale;

/** Writes numbers the same way on every machine. */
final class Numbers {

  /** What stands for a missing number. */
  static final String MISSING = "–";

  private Numbers() {}

  /**
   * At most four significant digits, without trailing zeros; a power of ten where it is shorter.
   */
  static String compact(double value) {
    return significant(value, 4);
  }

  static String significant(double value, int digits) {
    if (Double.isNaN(value)) {
      return MISSING;
    }
    if (Double.isInfinite(value)) {
      return value > 0 ? "∞" : "−∞";
    }
    if (value == 0) {
      return "0";
    }
    BigDecimal rounded = BigDecimal.valueOf(value).round(new MathContext(digits));
    BigDecimal bare = rounded.stripTrailingZeros();
    double size = Math.abs(rounded.doubleValue());
    String text;
    if (size < 1e-4 || size >= 1e7) {
      int exponent = bare.precision() - bare.scale() - 1;
      text = bare.movePointLeft(exponent).stripTrailingZeros().toPlainString() + "e" + exponent;
    } else {
      text = bare.toPlainString();
    }
    return text.replace('-', '−').replace("e−", "e-");
  }

  /** A coordinate in an SVG: two decimals are a fiftieth of a pixel. */
  static String pixel(double value) {
    String text = String.format(Locale.ROOT, "%.1f", value);
    return text.endsWith(".0") ? text.substring(0, text.length() - 2) : text;
  }
}
