package io.matryoshka.sae.internal.cli;

import java.util.Locale;

/** Writes numbers for people, the same in every locale. */
final class Numbers {

  private static final double KILO = 1000;
  private static final String[] BYTE_UNITS = {"B", "kB", "MB", "GB", "TB"};

  private Numbers() {}

  /** With some digits after the point. */
  static String fixed(double value, int digits) {
    return String.format(Locale.ROOT, "%." + digits + "f", value);
  }

  /** A number of things, in the singular for one. */
  static String count(long number, String noun) {
    return number + " " + noun + (number == 1 ? "" : "s");
  }

  /** A size in the decimal units of disks and networks. */
  static String bytes(long bytes) {
    double value = bytes;
    int unit = 0;
    while (value >= KILO && unit < BYTE_UNITS.length - 1) {
      value /= KILO;
      unit++;
    }
    return fixed(value, unit == 0 ? 0 : 1) + " " + BYTE_UNITS[unit];
  }
}
