package io.matryoshka.sae.internal.report;

import java.util.Objects;

/** A chart: a picture, and its figures as a table for those who cannot see it. */
public abstract sealed class Chart implements Block permits BarChart, LineChart, Histogram {

  private final String title;

  Chart(String title) {
    this.title = Objects.requireNonNull(title, "title");
  }

  /**
   * Returns what the chart shows.
   *
   * @return the title
   */
  public final String title() {
    return title;
  }

  /**
   * Returns the chart as an SVG file of its own, which follows the reader's light or dark setting.
   *
   * @return the text of an SVG document
   */
  public final String svg() {
    return draw(true) + "\n";
  }

  @Override
  public final String html() {
    return "<figure class=\"chart\"><figcaption>"
        + Html.escape(title)
        + "</figcaption>"
        + draw(false)
        + "<details><summary>Figures</summary>"
        + figures().html()
        + "</details></figure>";
  }

  abstract String draw(boolean standalone);

  abstract Table figures();
}
