package io.matryoshka.sae.internal.serve.page;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.matryoshka.sae.internal.report.Chromium;
import io.matryoshka.sae.internal.serve.ServedBookworm;
import io.matryoshka.sae.support.SourceFiles;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The page with the true server, model and SAE. Skipped where there is no browser. */
@Tag("browser")
class ServedPageTest {

  private static ServedBookworm bookworm;
  private static Visitor visitor;
  private static Path labels;

  @BeforeAll
  static void start(@TempDir(cleanup = CleanupMode.NEVER) Path folder) throws Exception {
    Optional<Path> binary = Chromium.find();
    assumeTrue(
        binary.isPresent(),
        "no chromium found: install Debian's package chromium, or name a browser with -Dbrowser=FILE");
    labels = folder.resolve("labels.json");
    bookworm = ServedBookworm.start(folder);
    visitor = new Visitor(Chromium.start(binary.get(), folder));
    visitor.browser().screen(1360, 900, false, false);
  }

  @AfterAll
  static void stop() throws Exception {
    if (visitor != null) {
      visitor.browser().close();
    }
    if (bookworm != null) {
      bookworm.close();
    }
  }

  /** The texts that the model was not trained on, with what Python computed for them. */
  private static JsonNode reference() throws Exception {
    Path file = SourceFiles.PROJECT.resolve("releases/bookworm-3m/texts.json");
    return new ObjectMapper().readTree(file.toFile());
  }

  private static String fixed(JsonNode value) {
    return String.format(Locale.ROOT, "%.2f", value.asDouble());
  }

  @Test
  void text_read_hasTheFiguresOfPython() throws Exception {
    JsonNode text = reference().get("texts").get(0);
    open("#width=32");
    visitor.awaitText(".widths", "KL");

    assertThat(visitor.run("document.querySelector('textarea').value").asText())
        .isEqualTo(text.get("text").asText());
    assertThat(visitor.count(PageTest.TOKENS)).isEqualTo(text.get("ids").size());
    assertThat(visitor.text(".tile:nth-child(3) dd"))
        .startsWith(fixed(text.at("/spliced/32/cross_entropy")))
        .contains("clean " + fixed(text.get("cross_entropy")));
    assertThat(visitor.complaints()).isEmpty();
  }

  @Test
  void continuations_streamed_areThoseOfPython() throws Exception {
    JsonNode wanted = reference().get("continuations").get(0);
    open(
        "#view=intervene&edits=steer:1:24&bos=change&tokens=20"
            + "&text=building:+the+occupants+of+a+build");

    visitor.press("Generate");
    visitor.awaitText("[aria-label='Continuations']", "20 tokens, stopped");

    assertThat(visitor.text(".story")).isEqualTo(wanted.get("clean").asText());
    assertThat(visitor.text("[aria-label='Changed continuation'] .story"))
        .isEqualTo(wanted.get("steered").asText());
    visitor.awaitElement(".next tbody tr");
    assertThat(visitor.complaints()).isEmpty();
  }

  @Test
  void corpus_readWhileThePageIsOpen_bringsContexts() throws Exception {
    bookworm.readCorpus();
    open("#view=read");
    visitor.awaitText(".facts", "tokens");

    visitor.click("aside .id");
    visitor.awaitElement(".context .strip");

    assertThat(visitor.text(".context .peak")).isNotEmpty().doesNotContain("▁");
    assertThat(visitor.text(".tree .self")).isNotEmpty();
    assertThat(visitor.count(".logits li")).isEqualTo(20);
    assertThat(visitor.complaints()).isEmpty();
  }

  @Test
  void label_typed_isInTheFileOfTheUser() throws Exception {
    visitor.open(bookworm.address(), "#view=latents&latent=7");
    visitor.press("Add a label");
    visitor.type("#label", "plants <b>&</b> trees");
    visitor.press("Keep");
    visitor.awaitText(".label-line q", "plants <b>&</b> trees");

    assertThat(labels).content().contains("plants <b>&</b> trees");
    visitor.type("#search", "PLANTS");
    visitor.awaitText(".list .total", "1 of 2,048");
    visitor.press("Remove yours");
    visitor.awaitText(".label-line", "No label yet");
    assertThat(labels).content().doesNotContain("plants");
    assertThat(visitor.complaints()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "view=read",
        "view=read&colour=loss",
        "view=latents&latent=1",
        "view=intervene&edits=zero:1&predict=4",
        "view=compare&leftwidth=33"
      })
  void export_ofEveryView_isTakenByTheServer(String view) throws Exception {
    visitor.open(bookworm.address(), "#" + view);
    visitor.run(
        "window.saved = [];"
            + " HTMLAnchorElement.prototype.click = function () { saved.push(this.download); }");

    for (int format = 1; format <= 3; format++) {
      visitor.press("Export ▾");
      visitor.click(".menu div button:nth-child(" + format + ")");
      visitor.await("saved.length === " + format);
    }

    assertThat(visitor.run("saved.map(name => name.replace(/.*[.]/, '')).join()").asText())
        .isEqualTo("json,csv,html");
    visitor.press("Same in Java");
    visitor.awaitText(".foot pre", "SAE");
    assertThat(visitor.complaints()).isEmpty();
  }

  @Test
  void sae_withoutAModel_showsItsLatents() throws Exception {
    visitor.open(bookworm.address(), "#view=latents&latent=5&sae=" + ServedBookworm.SILENT);
    visitor.awaitText("article", "Nearest directions");

    assertThat(visitor.text("article")).contains("There are no logits for this SAE");
    visitor.press("Compare");
    visitor.awaitText(".empty", "there is no model for it");
    assertThat(visitor.complaints()).isEmpty();
  }

  private static void open(String fragment) throws Exception {
    visitor.open(bookworm.address(), fragment);
    visitor.awaitElement(PageTest.TOKENS);
  }
}
