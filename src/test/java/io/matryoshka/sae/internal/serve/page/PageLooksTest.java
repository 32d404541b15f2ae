package io.matryoshka.sae.internal.serve.page;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How the views look on several screens, and whether everybody can use them. */
class PageLooksTest extends PageTest {

  private static final String AXE = "/META-INF/resources/webjars/axe-core/4.6.3/axe.min.js";

  private static final String RULES =
      "['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']";

  private static final String FOUND =
      "axe.run(document, {runOnly: "
          + RULES
          + "}).then(r => r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html).join(' | ')))";

  /**
   * The least contrast of a token to its tint. The browser says a mixed colour as {@code color(srgb
   * r g b / a)}, which lies over the ground of the card.
   */
  private static final String LEAST_CONTRAST =
      """
      (() => {
        const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
        const pixel = (...colours) => {
          for (const colour of colours) {
            canvas.fillStyle = colour;
            canvas.fillRect(0, 0, 1, 1);
          }
          return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
        };
        const luminance = rgb => rgb.map(v => v / 255)
          .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
          .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
        return Math.min(...[...document.querySelectorAll('.strip .t')].map(token => {
          const style = getComputedStyle(token);
          const ground = getComputedStyle(token.closest('.card')).backgroundColor;
          const tints = style.backgroundImage.match(/color\\([^()]*\\)/g) ?? [];
          const tint = tints.length ? tints.at(-1) : style.backgroundColor;
          const [a, b] = [luminance(pixel(style.color)), luminance(pixel(ground, tint))];
          return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        }));
      })()""";

  private static void open(String view) throws Exception {
    visitor.open(server.address(), "#view=" + view + "&at=5&edits=zero:10,scale:140:2");
    visitor.awaitElement(view.equals("latents") ? ".list tbody tr" : TOKENS);
    if (view.equals("intervene")) {
      visitor.awaitElement(".next tbody tr");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "read, 1360, false, false",
    "read, 1360, false, true",
    "read, 360, true, false",
    "latents, 1360, false, false",
    "latents, 360, true, true",
    "intervene, 1360, false, true",
    "intervene, 360, true, false",
    "compare, 1360, false, false",
    "compare, 360, true, true"
  })
  void view_onAScreen_fitsAndIsAccessible(String view, int width, boolean phone, boolean dark)
      throws Exception {
    visitor.browser().screen(width, 800, phone, dark);
    open(view);
    assertThat(visitor.complaints()).isEmpty();
    try (InputStream axe = PageLooksTest.class.getResourceAsStream(AXE)) {
      visitor.run(new String(axe.readAllBytes(), StandardCharsets.UTF_8) + "; true");
    }

    assertThat(visitor.run("document.documentElement.scrollWidth").asInt())
        .isLessThanOrEqualTo(width);
    assertThat(visitor.run(FOUND)).isEmpty();
    Path shots = Files.createDirectories(Path.of("target", "screenshots"));
    visitor
        .browser()
        .screenshot(shots.resolve("serve-" + view + "-" + width + (dark ? "-dark.png" : ".png")));
  }

  @ParameterizedTest
  @CsvSource({"true, latents", "false, latents", "true, error", "false, loss"})
  void tokens_coloured_canBeRead(boolean dark, String colour) throws Exception {
    visitor.browser().screen(1360, 800, false, dark);
    visitor.open(server.address(), "#colour=" + colour + "&width=32");
    visitor.awaitText(".widths", "KL");

    JsonNode least = visitor.run(LEAST_CONTRAST);

    assertThat(least.asDouble()).isGreaterThanOrEqualTo(4.5).isLessThan(21);
  }

  @Test
  void latentPage_onAPhone_fitsAndIsAccessible() throws Exception {
    visitor.browser().screen(360, 800, true, false);
    visitor.open(server.address(), "#view=latents&latent=17");
    visitor.awaitElement("article .context");
    try (InputStream axe = PageLooksTest.class.getResourceAsStream(AXE)) {
      visitor.run(new String(axe.readAllBytes(), StandardCharsets.UTF_8) + "; true");
    }

    assertThat(visitor.run("document.documentElement.scrollWidth").asInt()).isEqualTo(360);
    assertThat(visitor.run(FOUND)).isEmpty();
    visitor.click(".back");
    visitor.awaitElement(".list tbody tr");
  }

  @Test
  void page_keyboardAlone_reachesTheTokens() throws Exception {
    read("");

    for (int presses = 0; presses < 20 && !focused().equals("option"); presses++) {
      visitor.key("Tab", 9);
    }

    assertThat(focused()).isEqualTo("option");
    assertThat(visitor.run("document.activeElement.ariaLabel").asText()).startsWith("0: “<bos>”");
  }

  private static String focused() {
    return visitor.run("document.activeElement.role ?? ''").asText();
  }

  @Test
  void colours_chosen_stayAfterAReload() throws Exception {
    read("");

    visitor.click("[aria-label^='Colours']");
    visitor.click("[aria-label^='Colours']");
    visitor.await("document.documentElement.dataset.theme === 'dark'");
    read("#at=1");
    String ground = visitor.run("getComputedStyle(document.body).backgroundColor").asText();
    visitor.run("localStorage.clear()");

    assertThat(ground).isEqualTo("rgb(18, 22, 29)");
  }
}
