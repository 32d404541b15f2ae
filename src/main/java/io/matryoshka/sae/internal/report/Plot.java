package io.matryoshka.sae.internal.report;

import java.util.List;

/** Draws the frame of a chart, and turns values into places in it. */
final class Plot {

  private static final int WIDTH = 480;
  private static final int PLOT_HEIGHT = 210;
  private static final int RIGHT = 20;
  private static final int BOTTOM = 46;
  private static final int LINE = 19;

  /** Mean width of a character at the size that style rules give. */
  private static final double CHARACTER = 7;

  /** One entry of the legend. */
  record Entry(String name, int colour) {}

  private final StringBuilder out = new StringBuilder();
  private final Chart chart;
  private final boolean standalone;
  private final List<Entry> legend;
  private double left;
  private double top;

  Plot(Chart chart, List<Entry> legend, boolean standalone) {
    this.chart = chart;
    this.legend = legend;
    this.standalone = standalone;
  }

  /** Starts the picture: legend, grid, y ticks and both names. */
  void frame(Axis y, String xLabel, String yLabel) {
    left = 26;
    for (double tick : y.ticks()) {
      left = Math.max(left, 26 + CHARACTER * y.label(tick).length());
    }
    StringBuilder head = new StringBuilder();
    top = legendRows(head, standalone ? 26 : 4);
    int height = (int) Math.ceil(top + PLOT_HEIGHT + BOTTOM);
    out.append("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" viewBox=\"0 0 ")
        .append(WIDTH + " " + height + "\" role=\"img\" aria-label=\"")
        .append(Html.escape(chart.title()) + "\"");
    out.append(standalone ? " width=\"" + WIDTH + "\" height=\"" + height + "\">" : ">");
    out.append("<title>" + Html.escape(chart.title()) + "</title>");
    if (standalone) {
      out.append("<style>" + Palette.css("svg.chart") + Resources.text("chart.css") + "</style>");
      out.append("<rect class=\"ground\" width=\"100%\" height=\"100%\"/>");
      text("name", WIDTH / 2.0, 17, "middle", chart.title());
    }
    out.append(head);
    for (double tick : y.ticks()) {
      double at = y(y, tick);
      line("grid", left, at, (double) WIDTH - RIGHT, at);
      text("tick", left - 6, at + 4.5, "end", y.label(tick));
    }
    text("label", (left + WIDTH - RIGHT) / 2, top + PLOT_HEIGHT + 40, "middle", xLabel);
    double middle = top + PLOT_HEIGHT / 2.0;
    out.append("<text class=\"label\" text-anchor=\"middle\" transform=\"translate(13 ")
        .append(Numbers.pixel(middle) + ") rotate(-90)\">" + Html.escape(yLabel) + "</text>");
  }

  private double legendRows(StringBuilder head, double start) {
    if (legend.isEmpty()) {
      return start + 16;
    }
    double x = 8;
    double y = start;
    for (Entry entry : legend) {
      double width = 26 + CHARACTER * entry.name().length();
      if (x > 8 && x + width > WIDTH) {
        x = 8;
        y += LINE;
      }
      head.append("<rect class=\"mark " + Palette.cssClass(entry.colour()) + "\" x=\"")
          .append(Numbers.pixel(x) + "\" y=\"" + Numbers.pixel(y + 3))
          .append("\" width=\"11\" height=\"11\" rx=\"2\"/>");
      head.append("<text class=\"tick\" x=\"" + Numbers.pixel(x + 16) + "\" y=\"")
          .append(Numbers.pixel(y + 13) + "\">" + Html.escape(entry.name()) + "</text>");
      x += width;
    }
    return y + LINE + 12;
  }

  void xTicks(Axis x) {
    for (double tick : x.ticks()) {
      double at = x(x, tick);
      line("grid", at, top + PLOT_HEIGHT, at, top + PLOT_HEIGHT + 4);
      xTick(at, x.label(tick));
    }
  }

  void xTick(double at, String label) {
    text("tick", at, top + PLOT_HEIGHT + 18, "middle", label);
  }

  double x(Axis axis, double value) {
    return x(axis.at(value));
  }

  /** Place of a share of the width, from 0 to 1. */
  double x(double share) {
    return left + share * (WIDTH - RIGHT - left);
  }

  double y(Axis axis, double value) {
    return top + (1 - axis.at(value)) * PLOT_HEIGHT;
  }

  double width() {
    return WIDTH - RIGHT - left;
  }

  void line(String css, double x1, double y1, double x2, double y2) {
    out.append("<line class=\"" + css + "\" x1=\"" + Numbers.pixel(x1))
        .append("\" y1=\"" + Numbers.pixel(y1) + "\" x2=\"" + Numbers.pixel(x2))
        .append("\" y2=\"" + Numbers.pixel(y2) + "\"/>");
  }

  void text(String css, double x, double y, String anchor, String text) {
    out.append("<text class=\"" + css + "\" text-anchor=\"" + anchor)
        .append("\" x=\"" + Numbers.pixel(x) + "\" y=\"" + Numbers.pixel(y) + "\">")
        .append(Html.escape(text) + "</text>");
  }

  /** Adds a shape; {@code attributes} are made of numbers only. */
  void shape(String element, String css, int colour, String attributes, String tooltip) {
    out.append("<" + element + " class=\"" + css + " " + Palette.cssClass(colour) + "\" ")
        .append(attributes + "><title>" + Html.escape(tooltip) + "</title></" + element + ">");
  }

  String end() {
    return out.append("</svg>").toString();
  }
}
