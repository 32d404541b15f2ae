package io.matryoshka.sae.internal.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.ToDoubleFunction;

/** Lines through points, with a mark at each point. */
public final class LineChart extends Chart {

  /**
   * A point of a line.
   *
   * @param x place along the horizontal axis
   * @param y place along the vertical axis
   */
  public record Point(double x, double y) {}

  /**
   * One line.
   *
   * @param name for the legend
   * @param points in the order of drawing; those with a number that the axes cannot show are left
   *     out
   */
  public record Line(String name, List<Point> points) {

    /**
     * Copies the list.
     *
     * @param name for the legend
     * @param points in the order of drawing
     */
    public Line {
      Objects.requireNonNull(name, "name");
      points = List.copyOf(points);
    }
  }

  private final String xLabel;
  private final String yLabel;
  private final Scale xScale;
  private final Scale yScale;
  private final List<Line> lines;

  /**
   * Describes a chart.
   *
   * @param title what the chart shows
   * @param xLabel what runs along the horizontal axis, with its unit
   * @param xScale its spacing
   * @param yLabel what runs along the vertical axis, with its unit
   * @param yScale its spacing
   * @param lines the lines
   * @throws IllegalArgumentException if no point can be shown
   */
  public LineChart(
      String title, String xLabel, Scale xScale, String yLabel, Scale yScale, List<Line> lines) {
    super(title);
    this.xLabel = xLabel;
    this.yLabel = yLabel;
    this.xScale = xScale;
    this.yScale = yScale;
    this.lines = List.copyOf(lines);
    if (lines.stream().allMatch(line -> shown(line).isEmpty())) {
      throw new IllegalArgumentException(
          "line chart '" + title + "': expected at least one point within the axes, got none");
    }
  }

  private List<Point> shown(Line line) {
    return line.points().stream().filter(p -> fits(xScale, p.x()) && fits(yScale, p.y())).toList();
  }

  private static boolean fits(Scale scale, double value) {
    return Double.isFinite(value) && (scale == Scale.LINEAR || value > 0);
  }

  private Axis axis(Scale scale, ToDoubleFunction<Point> coordinate) {
    double[] values =
        lines.stream().flatMap(l -> shown(l).stream()).mapToDouble(coordinate).sorted().toArray();
    return Axis.of(scale, values[0], values[values.length - 1]);
  }

  @Override
  String draw(boolean standalone) {
    Axis x = axis(xScale, Point::x);
    Axis y = axis(yScale, Point::y);
    List<Plot.Entry> legend = new ArrayList<>();
    for (int i = 0; i < lines.size() && lines.size() > 1; i++) {
      legend.add(new Plot.Entry(lines.get(i).name(), i));
    }
    Plot plot = new Plot(this, legend, standalone);
    plot.frame(y, xLabel, yLabel);
    plot.xTicks(x);
    for (int i = 0; i < lines.size(); i++) {
      Line line = lines.get(i);
      StringBuilder path = new StringBuilder("points=\"");
      for (Point p : shown(line)) {
        path.append(Numbers.pixel(plot.x(x, p.x())) + "," + Numbers.pixel(plot.y(y, p.y())) + " ");
      }
      plot.shape("polyline", "line", i, path.append("\"").toString(), line.name());
      for (Point p : shown(line)) {
        plot.shape(
            "circle",
            "mark",
            i,
            "r=\"3\" cx=\"%s\" cy=\"%s\""
                .formatted(Numbers.pixel(plot.x(x, p.x())), Numbers.pixel(plot.y(y, p.y()))),
            line.name() + ": " + Numbers.compact(p.x()) + ", " + Numbers.compact(p.y()));
      }
    }
    return plot.end();
  }

  @Override
  Table figures() {
    List<List<String>> rows = new ArrayList<>();
    for (Line line : lines) {
      for (Point p : line.points()) {
        rows.add(
            List.of(line.name(), Numbers.significant(p.x(), 6), Numbers.significant(p.y(), 6)));
      }
    }
    return new Table(title(), List.of("Line", xLabel, yLabel), rows);
  }
}
