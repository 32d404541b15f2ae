package io.matryoshka.sae.eval;

/** A mean whose sum is compensated (Neumaier), so that its error does not grow with its length. */
final class Mean {

  private double sum;
  private double compensation;
  private long count;

  Mean() {}

  Mean(double sum, double compensation, long count) {
    this.sum = sum;
    this.compensation = compensation;
    this.count = count;
  }

  void add(double value) {
    accumulate(value);
    count++;
  }

  /** Adds a value unless it is the result of a division by 0. */
  void addIfFinite(double value) {
    if (Double.isFinite(value)) {
      add(value);
    }
  }

  void add(Mean other) {
    accumulate(other.sum);
    compensation += other.compensation;
    count += other.count;
  }

  private void accumulate(double value) {
    double total = sum + value;
    compensation +=
        Math.abs(sum) >= Math.abs(value) ? (sum - total) + value : (value - total) + sum;
    sum = total;
  }

  double total() {
    return sum + compensation;
  }

  /** The mean, NaN of nothing. */
  double value() {
    return total() / count;
  }

  double sum() {
    return sum;
  }

  double compensation() {
    return compensation;
  }

  long count() {
    return count;
  }
}
