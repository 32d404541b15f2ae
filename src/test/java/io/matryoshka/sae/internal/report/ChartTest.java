package io.matryoshka.sae.internal.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

class ChartTest {

  private static final String HOSTILE = "</svg><script>alert(1)</script>\"'&";

  private static List<Element> elements(Chart chart, String name, String cssClass)
      throws Exception {
    Document document =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(new ByteArrayInputStream(chart.svg().getBytes(StandardCharsets.UTF_8)));
    NodeList found = document.getElementsByTagName(name);
    List<Element> elements = new ArrayList<>();
    for (int i = 0; i < found.getLength(); i++) {
      Element element = (Element) found.item(i);
      if (Arrays.asList(element.getAttribute("class").split(" ")).contains(cssClass)) {
        elements.add(element);
      }
    }
    return elements;
  }

  private static double number(Element element, String attribute) {
    return Double.parseDouble(element.getAttribute(attribute));
  }

  private static BarChart bars(String text, Double... values) {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < values.length; i++) {
      names.add(text + i);
    }
    return new BarChart(
        text, text, text, names, List.of(new BarChart.Series(text, List.of(values))));
  }

  @Test
  void barChart_values_heightsAreInProportion() throws Exception {
    List<Element> bars = elements(bars("x", 0.2, 0.4, 0.8), "rect", "bar");

    assertThat(bars).hasSize(3);
    assertThat(number(bars.get(1), "height") / number(bars.get(0), "height"))
        .isCloseTo(2, within(0.01));
    assertThat(number(bars.get(2), "height") / number(bars.get(0), "height"))
        .isCloseTo(4, within(0.01));
    assertThat(number(bars.get(0), "y") + number(bars.get(0), "height"))
        .isCloseTo(number(bars.get(2), "y") + number(bars.get(2), "height"), within(0.11));
  }

  @Test
  void barChart_oneSeries_takesLevelColours() throws Exception {
    assertThat(elements(bars("x", 1.0, 2.0), "rect", "bar"))
        .extracting(e -> e.getAttribute("class"))
        .containsExactly("bar c0", "bar c1");
  }

  @Test
  void barChart_missingValue_leavesBarOut() throws Exception {
    assertThat(elements(bars("x", 1.0, Double.NaN, 2.0), "rect", "bar")).hasSize(2);
  }

  @Test
  void barChart_seriesOfOtherLength_namesBothLengths() {
    assertThatThrownBy(
            () ->
                new BarChart(
                    "EV",
                    "width",
                    "EV",
                    List.of("32", "128"),
                    List.of(new BarChart.Series("s", List.of(1.0)))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "bar chart 'EV': series 's' must have one value for each of 2 categories, got 1");
  }

  @Test
  void barChart_hostileText_staysText() throws Exception {
    BarChart chart = bars(HOSTILE, 1.0);

    assertThat(elements(chart, "rect", "bar")).hasSize(1);
    assertThat(chart.html()).doesNotContain("<script");
  }

  @Test
  void lineChart_logAxis_equalRatiosAreEquallyFar() throws Exception {
    List<LineChart.Point> points = new ArrayList<>();
    for (double x : new double[] {1, 10, 100}) {
      points.add(new LineChart.Point(x, x));
    }
    points.add(new LineChart.Point(0, 5));
    points.add(new LineChart.Point(5, Double.NaN));
    LineChart chart =
        new LineChart(
            "t", "x", Scale.LOG, "y", Scale.LOG, List.of(new LineChart.Line("one", points)));

    List<Element> marks = elements(chart, "circle", "mark");

    assertThat(marks).hasSize(3);
    assertThat(number(marks.get(1), "cx") - number(marks.get(0), "cx"))
        .isCloseTo(number(marks.get(2), "cx") - number(marks.get(1), "cx"), within(0.21));
    assertThat(number(marks.get(0), "cy")).isGreaterThan(number(marks.get(1), "cy"));
  }

  @Test
  void lineChart_noPointInRange_isRefused() {
    LineChart.Line line = new LineChart.Line("a", List.of(new LineChart.Point(0, 1)));

    assertThatThrownBy(() -> new LineChart("t", "x", Scale.LOG, "y", Scale.LINEAR, List.of(line)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("at least one point");
  }

  @Test
  void histogram_zerosOnLogAxis_countInSizeAndLegend() {
    Histogram chart =
        new Histogram(
            "Density",
            "density",
            Scale.LOG,
            "latents",
            2,
            List.of(new Histogram.Group("level 0", new double[] {0, 0.02, 0.2, 0.3})));

    assertThat(chart.figures().rows())
        .containsExactly(List.of("0.01", "0.1", "25"), List.of("0.1", "1", "50"));
    assertThat(chart.svg()).contains("level 0 (1 not shown)");
  }

  @Test
  void histogram_largestValue_fallsIntoLastBin() {
    Histogram chart =
        new Histogram(
            "t",
            "v",
            Scale.LINEAR,
            "things",
            5,
            List.of(new Histogram.Group("a", new double[] {0, 10})));

    assertThat(chart.figures().rows().get(0)).containsExactly("0", "2", "50");
    assertThat(chart.figures().rows().get(4)).containsExactly("8", "10", "50");
  }

  @Test
  void histogram_nothingToShow_drawsEmptyFrame() throws Exception {
    Histogram chart =
        new Histogram(
            "t", "v", Scale.LOG, "things", 3, List.of(new Histogram.Group("a", new double[0])));

    assertThat(elements(chart, "polyline", "step")).hasSize(1);
  }

  @Test
  void svg_sameData_sameText() {
    assertThat(bars("x", 1.0, 2.0).svg()).isEqualTo(bars("x", 1.0, 2.0).svg());
  }

  @Test
  void histogram_weights_areHowOftenValuesOccur() {
    Histogram weighted =
        new Histogram(
            "t",
            "v",
            Scale.LINEAR,
            "things",
            4,
            List.of(
                new Histogram.Group("a", new double[] {0, 1, 4}, new double[] {2, 1, 1}),
                new Histogram.Group("b", new double[] {0, Double.NaN}, new double[] {1, 3})));
    Histogram repeated =
        new Histogram(
            "t",
            "v",
            Scale.LINEAR,
            "things",
            4,
            List.of(
                new Histogram.Group("a", new double[] {0, 0, 1, 4}),
                new Histogram.Group("b", new double[] {0, Double.NaN, Double.NaN, Double.NaN})));
    assertThat(weighted.html()).contains("b (3 not shown)").isEqualTo(repeated.html());
    assertThatThrownBy(() -> new Histogram.Group("a", new double[2], new double[1]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("each of 2 values, got 1");
  }

  @Test
  void lineChart_labelAtTheRightEnd_staysInside() throws Exception {
    LineChart chart =
        new LineChart(
            "t",
            "width",
            Scale.LOG,
            "y",
            Scale.LINEAR,
            List.of(
                new LineChart.Line(
                    "a", List.of(new LineChart.Point(128, 0), new LineChart.Point(32768, 1)))));

    // Half of "100000" in digits of six pixels must fit between the axis and the edge at 480.
    assertThat(chart.svg()).contains("x=\"460\"").contains(">100000<");
  }
}
