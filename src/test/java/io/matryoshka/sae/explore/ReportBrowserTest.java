package io.matryoshka.sae.explore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.eval.LatentStatistics;
import io.matryoshka.sae.internal.report.Chromium;
import io.matryoshka.sae.internal.report.Column;
import io.matryoshka.sae.internal.report.DataTable;
import io.matryoshka.sae.internal.report.Page;
import io.matryoshka.sae.registry.ReleaseRegistry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Opens reports in a real browser. Skipped where there is none. */
@Tag("browser")
class ReportBrowserTest {

  private static final String HOSTILE =
      "</script><script>window.hit=1</script><img src=x onerror=window.hit=1>";

  /** What the latent table shows: its cells by row. */
  private static final String CELLS =
      "[...document.querySelectorAll('#latents tbody tr')]"
          + ".map(row => [...row.children].map(cell => cell.textContent))";

  private static final String COUNT =
      "document.querySelector('#latents .count').textContent.replace(/.* of /, '')";

  /** The strongest contexts of latent 17, and examples of lower activations. */
  private static final int STRIPS = 10;

  private static Chromium browser;
  private static LatentStatistics statistics;
  private static Path demo;
  private static Path hostile;
  private static Path folder;

  @BeforeAll
  static void writeReports(@TempDir(cleanup = CleanupMode.NEVER) Path temp) throws Exception {
    Optional<Path> binary = Chromium.find();
    assumeTrue(
        binary.isPresent(),
        "no chromium found: install Debian's package chromium, or name a browser with -Dbrowser=FILE");
    folder = temp;
    try (SAE sae = DemoSource.sae()) {
      Exploration found =
          new Explorer(sae).explore(DemoSource.source(), ExplorerOptions.defaults());
      statistics = found.statistics();
      demo = write("demo.html", found, DemoSource.tokens());
      Tokens tokens =
          Tokens.of(Collections.nCopies(DemoSource.ROWS, HOSTILE), new int[DemoSource.ROWS]);
      hostile = write("hostile.html", found, tokens);
    }
    browser = Chromium.start(binary.get(), temp);
  }

  private static Path write(String name, Exploration found, Tokens tokens) throws Exception {
    Path file = folder.resolve(name);
    new ExplorationReport(
            DemoSource.RELEASE,
            Optional.of(ReleaseRegistry.bundled().find(DemoSource.RELEASE, "last_hidden_state")),
            found,
            Optional.of(tokens),
            Optional.empty())
        .page()
        .write(file);
    return file;
  }

  @AfterAll
  static void stop() {
    if (browser != null) {
      browser.close();
    }
  }

  private static void open(Path page) throws Exception {
    browser.screen(1280, 900, false, false);
    browser.open(page);
  }

  private static void filter(String text) {
    browser.run(
        "(() => { const input = document.querySelector('#latents input'); input.value = '"
            + text
            + "'; input.dispatchEvent(new Event('input')); })()");
  }

  private static void sort(String heading) {
    browser.run(
        "[...document.querySelectorAll('#latents thead button')].find(b => b.textContent === '"
            + heading
            + "').click()");
  }

  private static int count() {
    return browser.run(COUNT).asInt();
  }

  @ParameterizedTest
  @CsvSource({
    "desktop-light, 1280, 900, false, false",
    "desktop-dark, 1280, 900, false, true",
    "phone-light, 360, 780, true, false",
    "phone-dark, 360, 780, true, true"
  })
  void report_screens_renderWithoutComplaintOrOverflow(
      String name, int width, int height, boolean phone, boolean dark) throws Exception {
    browser.screen(width, height, phone, dark);
    browser.open(demo);
    browser.run("location.hash = 'latent-17'");

    assertThat(browser.run("document.querySelectorAll('svg.chart').length").asInt()).isEqualTo(4);
    assertThat(browser.run("document.documentElement.scrollWidth").asInt())
        .isLessThanOrEqualTo(width);
    assertThat(browser.run("getComputedStyle(document.body).backgroundColor").asText())
        .isEqualTo(dark ? "rgb(18, 22, 29)" : "rgb(255, 255, 255)");
    Path shots = Files.createDirectories(Path.of("target", "screenshots"));
    browser.run("window.scrollTo(0, 0)");
    browser.screenshot(shots.resolve(name + "-overview.png"));
    browser.run("document.getElementById('latent').scrollIntoView()");
    browser.screenshot(shots.resolve(name + "-latent.png"));
    assertThat(browser.complaints()).isEmpty();
  }

  @Test
  void table_sortByDensity_startsWithTheDensest() throws Exception {
    open(demo);
    int densest =
        IntStream.range(0, 2048)
            .boxed()
            .max(java.util.Comparator.comparingLong(statistics::firings))
            .orElseThrow();

    sort("Density %");
    JsonNode falling = browser.run(CELLS);
    sort("Density %");
    JsonNode rising = browser.run(CELLS);

    assertThat(falling).hasSize(50);
    assertThat(falling.get(0).get(0).asText()).isEqualTo(String.valueOf(densest));
    assertThat(rising.get(0).get(2).asText()).isEqualTo("0.00");
    assertThat(browser.run("document.querySelector('#latents th[aria-sort]').ariaSort").asText())
        .isEqualTo("ascending");
  }

  @Test
  void table_sortByMax_comparesNumbersAndPutsMissingLast() throws Exception {
    open(demo);

    sort("Max");
    sort("Max");
    JsonNode rising = browser.run(CELLS);
    filter("level=3 density<0.01");
    JsonNode silent = browser.run(CELLS);

    for (int row = 1; row < 50; row++) {
      assertThat(rising.get(row).get(4).asDouble())
          .isGreaterThanOrEqualTo(rising.get(row - 1).get(4).asDouble());
    }
    assertThat(silent.get(0).get(4).asText()).isEqualTo("–");
  }

  @Test
  void table_filters_keepTheRowsThatJavaCounts() throws Exception {
    open(demo);
    long dense = IntStream.range(0, 128).filter(i -> statistics.density(i) > 0.2).count();

    filter("density>20 level<=1");
    assertThat(count()).isEqualTo((int) dense);

    filter("gentlemen");
    JsonNode rows = browser.run(CELLS);
    assertThat(rows.size()).isPositive();
    for (JsonNode row : rows) {
      assertThat(row.get(5).asText()).contains("gentlemen");
    }

    filter("no such token");
    assertThat(browser.run(CELLS)).isEmpty();

    filter("");
    browser.run(
        "(() => { const menu = document.querySelector('#latents select'); menu.value = '1';"
            + " menu.dispatchEvent(new Event('change')); })()");
    assertThat(count()).isEqualTo(96);
    assertThat(browser.complaints()).isEmpty();
  }

  @Test
  void table_next_showsTheSecondPage() throws Exception {
    open(demo);

    browser.run("document.querySelector('#latents .pager button:last-child').click()");

    assertThat(browser.run("document.querySelector('#latents .count').textContent").asText())
        .isEqualTo("51–100 of 2048");
    assertThat(browser.run(CELLS).get(0).get(0).asText()).isEqualTo("50");
  }

  @Test
  void latent_link_showsItsContexts() throws Exception {
    open(demo);
    filter("17");

    browser.run("document.querySelector('#latents tbody a').click()");
    browser.run("new Promise(done => setTimeout(done, 100))");

    assertThat(browser.run("document.querySelector('#latent-view h3').textContent").asText())
        .isEqualTo("Latent 17 0");
    assertThat(browser.run("document.querySelectorAll('#latent-view .strip').length").asInt())
        .isEqualTo(STRIPS);
    String sentence = "document.querySelector('#latent-view .context button')";
    String first = "document.querySelector('#latent-view .context .strip').textContent";
    String before = browser.run(first).asText();
    browser.run(sentence + ".click()");
    assertThat(browser.run(first).asText()).contains(before).isNotEqualTo(before);
    browser.run(sentence + ".click()");
    assertThat(browser.run(first).asText()).isEqualTo(before);
    assertThat(browser.run("document.querySelectorAll('#latent-view .bars span').length").asInt())
        .isEqualTo(16);
    assertThat(browser.run("document.querySelector('#latent-view .peak').textContent").asText())
        .isEqualTo("her");
    assertThat(browser.complaints()).isEmpty();
  }

  @Test
  void page_hostileTokens_areInert() throws Exception {
    open(hostile);
    browser.run("location.hash = 'latent-17'");
    browser.run("new Promise(done => setTimeout(done, 100))");

    assertThat(browser.run("window.hit === undefined").asBoolean()).isTrue();
    assertThat(browser.run("document.images.length").asInt()).isZero();
    assertThat(browser.run("document.querySelector('#latent-view .peak').textContent").asText())
        .isEqualTo(HOSTILE);
    assertThat(browser.complaints()).isEmpty();
  }

  @Test
  void table_rowsOfAFullSae_sortAndFilter() throws Exception {
    int rows = 32768;
    double[] latent = IntStream.range(0, rows).asDoubleStream().toArray();
    double[] scattered = IntStream.range(0, rows).mapToDouble(i -> i * 7919L % rows).toArray();
    Path page = folder.resolve("full.html");
    new Page("Full", "")
        .section(
            "Latents",
            new DataTable("latents")
                .add(Column.latent("latent", "Latent", ""), latent)
                .add(Column.number("value", "Value", "", 0), scattered)
                .add(Column.text("text", "Text", ""), Collections.nCopies(rows, "she")))
        .write(page);
    open(page);

    sort("Value");
    filter("value<100 she");

    assertThat(count()).isEqualTo(100);
    assertThat(browser.run(CELLS).get(0).get(1).asText()).isEqualTo("99");
    assertThat(List.of(browser.run(CELLS).size())).containsExactly(50);
  }
}
