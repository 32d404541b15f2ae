package io.matryoshka.sae.eval;

import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Counts rows by the binary exponent of their squared norm, with the sum of each class. */
final class EnergyHistogram {

  private static final double OUTLIER_SHARE = 0.9;
  private static final double MAX_OUTLIER_ROWS = 0.15;

  /** One class of squared norms. */
  private static final class Bin {
    private long rows;
    private double sum;
  }

  private final TreeMap<Integer, Bin> bins = new TreeMap<>();

  void add(double squaredNorm) {
    add(Math.getExponent(squaredNorm), 1, squaredNorm);
  }

  void add(int exponent, long rows, double sum) {
    Bin bin = bins.computeIfAbsent(exponent, e -> new Bin());
    bin.rows += rows;
    bin.sum += sum;
  }

  void add(EnergyHistogram other) {
    other.forEach(this::add);
  }

  /** Number of classes that hold a row. */
  int size() {
    return bins.size();
  }

  /** Takes a class of the histogram. */
  @FunctionalInterface
  interface BinVisitor {
    void accept(int exponent, long rows, double sum);
  }

  void forEach(BinVisitor visitor) {
    bins.forEach((exponent, bin) -> visitor.accept(exponent, bin.rows, bin.sum));
  }

  /** The largest rows that hold nearly all of the squared norm, if they are few. */
  Optional<NormOutliers> outliers() {
    long rows = bins.values().stream().mapToLong(bin -> bin.rows).sum();
    double total = bins.values().stream().mapToDouble(bin -> bin.sum).sum();
    long topRows = 0;
    double topSum = 0;
    for (Map.Entry<Integer, Bin> entry : bins.descendingMap().entrySet()) {
      topRows += entry.getValue().rows;
      topSum += entry.getValue().sum;
      if (topRows > MAX_OUTLIER_ROWS * rows) {
        return Optional.empty();
      }
      if (topSum >= OUTLIER_SHARE * total) {
        return Optional.of(new NormOutliers(topRows, topSum / total));
      }
    }
    return Optional.empty();
  }
}
