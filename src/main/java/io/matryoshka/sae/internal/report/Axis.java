package io.matryoshka.sae.internal.report;

import java.util.ArrayList;
import java.util.List;

/**
 * One axis: its range, and ticks at round numbers.
 *
 * @param scale the spacing
 * @param low the value at the start
 * @param high the value at the end, above {@code low}
 * @param ticks rising values within the range
 */
record Axis(Scale scale, double low, double high, List<Double> ticks) {

  private static final int TICKS = 5;
  private static final int MAX_DECADES = 7;

  /** Makes an axis that starts and ends at a tick and holds the given range. */
  static Axis of(Scale scale, double min, double max) {
    return scale == Scale.LOG ? log(min, max) : linear(min, max);
  }

  private static Axis linear(double min, double max) {
    double low = min;
    double high = max;
    if (low == high) {
      double pad = low == 0 ? 1 : Math.abs(low) / 2;
      low -= low > 0 || low < 0 ? pad : 0;
      high += pad;
    }
    double step = roundStep((high - low) / TICKS);
    long first = (long) Math.floor(low / step + 1e-9);
    long last = (long) Math.ceil(high / step - 1e-9);
    List<Double> ticks = new ArrayList<>();
    for (long i = first; i <= last; i++) {
      ticks.add(i * step);
    }
    return new Axis(Scale.LINEAR, first * step, last * step, ticks);
  }

  /** The smallest of 1, 2, 2.5 and 5 times a power of ten that is at least the given step. */
  private static double roundStep(double step) {
    double power = Math.pow(10, Math.floor(Math.log10(step)));
    for (double factor : new double[] {1, 2, 2.5, 5}) {
      if (factor * power >= step * (1 - 1e-9)) {
        return factor * power;
      }
    }
    return 10 * power;
  }

  private static Axis log(double min, double max) {
    int first = (int) Math.floor(Math.log10(min) + 1e-9);
    int last = Math.max((int) Math.ceil(Math.log10(max) - 1e-9), first + 1);
    int every = (last - first + MAX_DECADES - 1) / MAX_DECADES;
    List<Double> ticks = new ArrayList<>();
    for (int decade = first; decade <= last; decade++) {
      if ((decade - first) % every == 0) {
        ticks.add(power(decade));
      }
    }
    if (last - first == 1) {
      ticks.add(1, 2 * power(first));
      ticks.add(2, 5 * power(first));
    }
    return new Axis(Scale.LOG, power(first), power(last), ticks);
  }

  private static double power(int decade) {
    return Double.parseDouble("1e" + decade);
  }

  /** Where a value lies, from 0 at the start to 1 at the end. */
  double at(double value) {
    return scale == Scale.LOG
        ? Math.log(value / low) / Math.log(high / low)
        : (value - low) / (high - low);
  }

  String label(double tick) {
    return Numbers.compact(tick);
  }
}
