package io.matryoshka.sae.internal.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * How the values of each group spread: for each bin, the share of the group's values in it, in
 * percent. Groups of very different size, such as Matryoshka levels, can so be compared. Values
 * that the axis cannot show, such as 0 on a logarithmic one, count in the group's size; the legend
 * says how many they are.
 */
public final class Histogram extends Chart {

  /**
   * Some values of one colour.
   *
   * @param name for the legend
   * @param values in any order
   * @param weights how often each value occurs
   */
  public record Group(String name, double[] values, double[] weights) {

    /**
     * Copies the arrays.
     *
     * @param name for the legend
     * @param values in any order
     * @param weights how often each value occurs, at least 0
     * @throws IllegalArgumentException if there is not one weight for each value
     */
    public Group {
      Objects.requireNonNull(name, "name");
      values = values.clone();
      weights = weights.clone();
      if (weights.length != values.length) {
        throw new IllegalArgumentException(
            "histogram group '%s': expected one weight for each of %d values, got %d"
                .formatted(name, values.length, weights.length));
      }
    }

    /**
     * Makes a group of values that occur once each.
     *
     * @param name for the legend
     * @param values in any order
     */
    public Group(String name, double[] values) {
      this(name, values, ones(values.length));
    }

    private static double[] ones(int length) {
      double[] ones = new double[length];
      Arrays.fill(ones, 1);
      return ones;
    }

    /**
     * Returns the weights.
     *
     * @return a copy
     */
    @Override
    public double[] weights() {
      return weights.clone();
    }

    /**
     * Returns the values.
     *
     * @return a copy
     */
    @Override
    public double[] values() {
      return values.clone();
    }
  }

  private final String valueLabel;
  private final String groupedThing;
  private final Axis axis;
  private final int bins;
  private final List<Group> groups;
  private final double[][] shares;

  /**
   * Counts the values of each group.
   *
   * @param title what the chart shows
   * @param valueLabel what is counted, with its unit
   * @param scale spacing of the values; {@link Scale#LOG} leaves out those that are not above 0
   * @param thing name of what has the values, in the plural, such as {@code latents}
   * @param bins number of bins, at least 1
   * @param groups the groups
   * @throws IllegalArgumentException if there is no bin
   */
  public Histogram(
      String title, String valueLabel, Scale scale, String thing, int bins, List<Group> groups) {
    super(title);
    if (bins < 1) {
      throw new IllegalArgumentException(
          "histogram '" + title + "': expected at least 1 bin, got " + bins);
    }
    this.valueLabel = valueLabel;
    this.groupedThing = thing;
    this.bins = bins;
    this.groups = List.copyOf(groups);
    double[] shown =
        groups.stream()
            .flatMapToDouble(g -> Arrays.stream(g.values))
            .filter(v -> fits(scale, v))
            .sorted()
            .toArray();
    this.axis =
        shown.length == 0
            ? Axis.of(scale, 1, 1)
            : Axis.of(scale, shown[0], shown[shown.length - 1]);
    this.shares = new double[groups.size()][];
    for (int g = 0; g < groups.size(); g++) {
      shares[g] = count(groups.get(g));
    }
  }

  private static boolean fits(Scale scale, double value) {
    return Double.isFinite(value) && (scale == Scale.LINEAR || value > 0);
  }

  private double[] count(Group group) {
    double total = Arrays.stream(group.weights).sum();
    double[] percent = new double[bins];
    for (int i = 0; i < group.values.length; i++) {
      double value = group.values[i];
      if (group.weights[i] > 0 && fits(axis.scale(), value)) {
        int bin = Math.min(bins - 1, (int) (axis.at(value) * bins));
        percent[bin] += 100 * group.weights[i] / total;
      }
    }
    return percent;
  }

  private double edge(int bin) {
    double at = (double) bin / bins;
    return axis.scale() == Scale.LOG
        ? axis.low() * Math.pow(axis.high() / axis.low(), at)
        : axis.low() + at * (axis.high() - axis.low());
  }

  @Override
  String draw(boolean standalone) {
    double most = Arrays.stream(shares).flatMapToDouble(Arrays::stream).max().orElse(0);
    Axis y = Axis.of(Scale.LINEAR, 0, most);
    List<Plot.Entry> legend = new ArrayList<>();
    for (int g = 0; g < groups.size(); g++) {
      legend.add(new Plot.Entry(legend(groups.get(g)), g));
    }
    Plot plot = new Plot(this, legend, standalone);
    plot.frame(y, valueLabel, "% of " + groupedThing);
    plot.xTicks(axis);
    for (int g = 0; g < groups.size(); g++) {
      StringBuilder path = new StringBuilder("points=\"");
      path.append(Numbers.pixel(plot.x(0)) + "," + Numbers.pixel(plot.y(y, 0)));
      for (int b = 0; b < bins; b++) {
        String height = Numbers.pixel(plot.y(y, shares[g][b]));
        path.append(" " + Numbers.pixel(plot.x((double) b / bins)) + "," + height);
        path.append(" " + Numbers.pixel(plot.x((b + 1.0) / bins)) + "," + height);
      }
      path.append(" " + Numbers.pixel(plot.x(1)) + "," + Numbers.pixel(plot.y(y, 0)));
      plot.shape("polyline", "step", g, path.append("\"").toString(), legend(groups.get(g)));
    }
    plot.line("axis", plot.x(0), plot.y(y, 0), plot.x(1), plot.y(y, 0));
    return plot.end();
  }

  private String legend(Group group) {
    double out = 0;
    for (int i = 0; i < group.values.length; i++) {
      out += fits(axis.scale(), group.values[i]) ? 0 : group.weights[i];
    }
    return group.name() + (out == 0 ? "" : " (" + Numbers.compact(out) + " not shown)");
  }

  @Override
  Table figures() {
    List<String> header = new ArrayList<>(List.of(valueLabel + " from", "to"));
    groups.forEach(group -> header.add(group.name() + ", %"));
    List<List<String>> rows = new ArrayList<>();
    for (int b = 0; b < bins; b++) {
      List<String> row =
          new ArrayList<>(List.of(Numbers.compact(edge(b)), Numbers.compact(edge(b + 1))));
      for (double[] share : shares) {
        row.add(Numbers.significant(share[b], 3));
      }
      rows.add(row);
    }
    return new Table(title(), header, rows);
  }
}
