package io.matryoshka.sae.internal.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** Bars that start at 0, one for each category and series. */
public final class BarChart extends Chart {

  private static final int MAX_LABELLED_BARS = 12;

  /**
   * The bars of one colour.
   *
   * @param name for the legend
   * @param values one for each category; NaN leaves the bar out
   */
  public record Series(String name, List<Double> values) {

    /**
     * Copies the list.
     *
     * @param name for the legend
     * @param values one for each category
     */
    public Series {
      Objects.requireNonNull(name, "name");
      values = List.copyOf(values);
    }
  }

  private final String categoryLabel;
  private final String valueLabel;
  private final List<String> categories;
  private final List<Series> series;

  /**
   * Describes a chart. With one series the bars take the colours of the categories, which are then
   * Matryoshka levels in order; with more, those of the series.
   *
   * @param title what the chart shows
   * @param categoryLabel what the categories are
   * @param valueLabel what the bars measure, with its unit
   * @param categories names under the bars
   * @param series the bars
   * @throws IllegalArgumentException if there is nothing to draw, or a series has another number of
   *     values than there are categories
   */
  public BarChart(
      String title,
      String categoryLabel,
      String valueLabel,
      List<String> categories,
      List<Series> series) {
    super(title);
    this.categoryLabel = categoryLabel;
    this.valueLabel = valueLabel;
    this.categories = List.copyOf(categories);
    this.series = List.copyOf(series);
    if (categories.isEmpty() || series.isEmpty()) {
      throw new IllegalArgumentException(
          "bar chart '" + title + "': expected at least one category and one series");
    }
    for (Series one : series) {
      if (one.values().size() != categories.size()) {
        throw new IllegalArgumentException(
            "bar chart '%s': series '%s' must have one value for each of %d categories, got %d"
                .formatted(title, one.name(), categories.size(), one.values().size()));
      }
    }
  }

  @Override
  String draw(boolean standalone) {
    double[] range = {0, 0};
    for (Series one : series) {
      for (double value : one.values()) {
        if (Double.isFinite(value)) {
          range[0] = Math.min(range[0], value);
          range[1] = Math.max(range[1], value);
        }
      }
    }
    Axis y = Axis.of(Scale.LINEAR, range[0], range[1]);
    Plot plot = new Plot(this, legend(), standalone);
    plot.frame(y, categoryLabel, valueLabel);
    for (int c = 0; c < categories.size(); c++) {
      plot.xTick(plot.x((c + 0.5) / categories.size()), categories.get(c));
      for (int s = 0; s < series.size(); s++) {
        if (Double.isFinite(series.get(s).values().get(c))) {
          bar(plot, y, c, s);
        }
      }
    }
    plot.line("axis", plot.x(0), plot.y(y, 0), plot.x(1), plot.y(y, 0));
    return plot.end();
  }

  private void bar(Plot plot, Axis y, int category, int index) {
    double value = series.get(index).values().get(category);
    double slot = plot.width() / categories.size();
    double width = Math.min(0.74 * slot / series.size(), 64);
    double x = plot.x((category + 0.5) / categories.size()) + (index - series.size() / 2.0) * width;
    double from = plot.y(y, Math.max(0, value));
    double height = Math.abs(plot.y(y, value) - plot.y(y, 0));
    int colour = series.size() == 1 ? category : index;
    plot.shape(
        "rect",
        "bar",
        colour,
        "x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\""
            .formatted(
                Numbers.pixel(x),
                Numbers.pixel(from),
                Numbers.pixel(width * (series.size() == 1 ? 1 : 0.94)),
                Numbers.pixel(height)),
        categories.get(category) + ", " + series.get(index).name() + ": " + Numbers.compact(value));
    if (categories.size() * series.size() <= MAX_LABELLED_BARS) {
      plot.text("value", x + width / 2, from - 4, "middle", Numbers.significant(value, 3));
    }
  }

  private List<Plot.Entry> legend() {
    List<Plot.Entry> entries = new ArrayList<>();
    for (int s = 0; s < series.size() && series.size() > 1; s++) {
      entries.add(new Plot.Entry(series.get(s).name(), s));
    }
    return entries;
  }

  @Override
  Table figures() {
    List<String> header = new ArrayList<>(List.of(categoryLabel));
    series.forEach(one -> header.add(one.name()));
    List<List<String>> rows = new ArrayList<>();
    for (int c = 0; c < categories.size(); c++) {
      List<String> row = new ArrayList<>(List.of(categories.get(c)));
      for (Series one : series) {
        row.add(Numbers.significant(one.values().get(c), 6));
      }
      rows.add(row);
    }
    return new Table(title(), header, rows);
  }
}
