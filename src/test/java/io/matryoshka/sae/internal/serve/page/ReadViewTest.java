package io.matryoshka.sae.internal.serve.page;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;

/** Reading a text: typing, choosing tokens, moving the slider. */
class ReadViewTest extends PageTest {

  private static final String OPTION = "document.querySelectorAll('.strip [role=option]')";

  @Test
  void page_opened_showsTheExampleInItsTokens() throws Exception {
    read("");

    assertThat(visitor.text("textarea")).isEmpty();
    assertThat(visitor.run("document.querySelector('textarea').value").asText())
        .isEqualTo(Answers.EXAMPLE);
    assertThat(visitor.text(".strip")).isEqualTo("<bos>" + Answers.EXAMPLE);
    assertThat(visitor.run("getComputedStyle(" + OPTION + "[1]).backgroundImage").asText())
        .contains("linear-gradient");
    assertThat(visitor.complaints()).isEmpty();
  }

  @Test
  void text_typed_isReadAgainOnceItIsStill() throws Exception {
    read("");

    visitor.typeSteadily("textarea", 20, "The", " cat", " sat.");
    visitor.awaitText(".strip", "The cat sat.");

    assertThat(visitor.text(".strip")).isEqualTo("<bos>The cat sat.");
    assertThat(server.lastCall("/api/latents")).contains("\"text\":\"The cat sat.\"");
    assertThat(server.calls("/api/latents")).isEqualTo(2); // The example, and this.
    visitor.await("location.hash.includes('The+cat+sat.')");
    assertThat(visitor.complaints()).isEmpty();
  }

  @Test
  void token_clicked_showsItsLatentsByLevel() throws Exception {
    read("");
    MadeText.Token second = MadeText.tokens(Answers.EXAMPLE).get(2);

    visitor.click(".strip [data-i='2']");
    visitor.awaitElement(".token-title");

    assertThat(visitor.count("aside .levels > li")).isEqualTo(4);
    List<List<Number>> latents = MadeText.latents(second, 2048);
    assertThat(visitor.count("aside .latents li")).isEqualTo(latents.size());
    for (List<Number> pair : latents) {
      assertThat(visitor.run("[...document.querySelectorAll('aside .id')].map(a => a.textContent)"))
          .anyMatch(id -> id.asText().equals(pair.get(0).toString()));
    }
    String share = String.format(Locale.ROOT, "%.0f %%", 100 * MadeText.shares(second).get(0));
    assertThat(visitor.text("aside .level-head .num")).isEqualTo(share);
    visitor.await("location.hash.includes('at=2')");
  }

  @Test
  void tokens_arrowKeys_moveTheChoice() throws Exception {
    read("#at=2");
    visitor.run(OPTION + "[2].focus()");

    visitor.key("ArrowRight", 39);
    visitor.await("document.activeElement.dataset.i === '3'");
    visitor.key("End", 35);
    visitor.await("document.activeElement.dataset.i === String(" + OPTION + ".length - 1)");
    visitor.key("Home", 36);
    visitor.await("document.activeElement.dataset.i === '0'");
    assertThat(visitor.run(OPTION + "[0].ariaSelected").asText()).isEqualTo("true");
    visitor.key("Escape", 27);

    visitor.awaitText("aside h2", "Strongest in the text");
    assertThat(visitor.count(".strip [tabindex='0']")).isEqualTo(1);
  }

  @Test
  void tokens_arrowKeysInQuickSuccession_moveTheChoiceEachTime() throws Exception {
    read("#at=2");

    JsonNode reached =
        visitor.run(
            """
            (async () => {
              document.querySelector('.strip [data-i="2"]').focus();
              for (let i = 0; i < 4; i++) {
                const key = new KeyboardEvent('keydown', {key: 'ArrowRight', bubbles: true});
                document.activeElement.dispatchEvent(key);
                await new Promise(next => setTimeout(next));
              }
              return document.activeElement.dataset.i;
            })()""");

    assertThat(reached.asText()).isEqualTo("6");
  }

  @Test
  void slider_moved_changesFiguresWithoutACall() throws Exception {
    read("#colour=error");
    visitor.await("document.querySelector('.widths').textContent.includes('KL')");
    long calls = server.calls("/api/latents") + server.calls("/api/losses");
    String before = visitor.text(".tile dd");
    String tint = visitor.run("getComputedStyle(" + OPTION + "[1]).backgroundColor").asText();

    visitor.set("#width", "0");
    visitor.awaitText(".slider output", "32 latents");

    assertThat(visitor.text(".tile dd")).isNotEqualTo(before);
    assertThat(visitor.run("getComputedStyle(" + OPTION + "[1]).backgroundColor").asText())
        .isNotEqualTo(tint);
    assertThat(server.calls("/api/latents") + server.calls("/api/losses")).isEqualTo(calls);
    visitor.await("location.hash.includes('width=32')");
  }

  @Test
  void levels_chosen_colourByThoseAlone() throws Exception {
    read("#levels=0");
    String coarse = visitor.run("getComputedStyle(" + OPTION + "[1]).backgroundImage").asText();

    visitor.press("Level 3");
    visitor.await("location.hash.includes('levels=0%2C3')");

    assertThat(visitor.run("getComputedStyle(" + OPTION + "[1]).backgroundImage").asText())
        .isNotEqualTo(coarse);
  }

  @Test
  void latent_marked_coloursOnlyItsTokens() throws Exception {
    int latent =
        MadeText.latents(MadeText.tokens(Answers.EXAMPLE).get(1), 2048).get(0).get(0).intValue();
    read("#mark=" + latent);

    long expected =
        MadeText.tokens(Answers.EXAMPLE).stream()
            .filter(
                token ->
                    MadeText.latents(token, 2048).stream()
                        .anyMatch(pair -> pair.get(0).intValue() == latent))
            .count();
    assertThat(
            visitor
                .run("[..." + OPTION + "].filter(t => t.style.background !== '').length")
                .asLong())
        .isEqualTo(expected);
    visitor.click("button[aria-pressed=true]");
    visitor.await("!location.hash.includes('mark')");
  }

  @Test
  void text_hostile_isOnlyText() throws Exception {
    String hostile =
        "<img src=x onerror=window.hit=1> שלום مرحبا \u202Eevil\u202C 😀 </script><b>bold</b>\n\tend";
    server.answers().put("<img src=y onerror=window.hit=1>");
    read("");

    visitor.type("textarea", hostile);
    visitor.awaitText(".strip", "onerror");
    visitor.click(".strip [data-i='3']");
    visitor.awaitElement(".token-title");

    assertThat(visitor.text(".strip"))
        .isEqualTo(
            "<bos><img src=x onerror=window.hit=1> שלום مرحبا ‹202E›evil‹202C› 😀<0x9F><0x98><0x80>"
                + " </script><b>bold</b>↵\n⇥\tend");
    assertThat(visitor.run("window.hit === undefined").asBoolean()).isTrue();
    assertThat(visitor.count("img, #app script, .strip b")).isZero();
    assertThat(visitor.text("aside .label")).isEqualTo("<img src=y onerror=window.hit=1>");
    assertThat(visitor.complaints()).isEmpty();
  }

  @Test
  void text_ofEightThousandCharacters_isReadAndLinked() throws Exception {
    read("");
    String longText = "word and more ".repeat(600).substring(0, 8000);

    visitor.type("textarea", longText);
    visitor.awaitText(".under", "8,000 of 8,000");
    visitor.await(OPTION + ".length > 1500");
    visitor.await("location.hash.length > 8000");
    visitor.open(URI.create(visitor.run("location.href").asText()), "");
    visitor.await("document.querySelector('textarea')?.value.length === 8000");

    assertThat(visitor.complaints()).isEmpty();
  }

  @Test
  void text_empty_saysWhatToDo() throws Exception {
    read("");

    visitor.type("textarea", "x");
    visitor.key("Backspace", 8);
    visitor.awaitText(".empty", "Type a text above");

    assertThat(visitor.count(TOKENS)).isZero();
    visitor.press("Back to the example");
    visitor.awaitText(".strip", "occupants");
  }

  @Test
  void losses_ofATextStillBeingTyped_areNotAskedFor() throws Exception {
    read("");
    visitor.awaitText(".widths", "KL");
    long before = server.calls("/api/losses");

    visitor.typeSteadily("textarea", 150, "one", " two", " three", " four");
    visitor.awaitText(".strip", "four");
    visitor.await("!document.querySelector('.widths').textContent.includes('…')");

    assertThat(server.calls("/api/losses")).isEqualTo(before + 1);
  }
}
