package io.matryoshka.sae.internal.serve.page;

import static org.assertj.core.api.Assertions.assertThat;

import io.matryoshka.sae.internal.report.Chromium;
import java.net.URI;
import org.junit.jupiter.api.Test;

/** What outlives a view: the link, the history, the connection, files that are saved. */
class PageStateTest extends PageTest {

  @Test
  void link_opened_showsTheSameAgain() throws Exception {
    read("#view=read");
    visitor.type("textarea", "a & b = c # d % e");
    visitor.awaitText(".strip", "% e");
    visitor.set("#width", "1");
    visitor.press("Error");
    visitor.click(".strip [data-i='3']");
    visitor.await("location.hash.includes('at=3')");

    visitor.open(URI.create(visitor.run("location.href").asText()), "");
    visitor.awaitElement(TOKENS);

    assertThat(visitor.run("document.querySelector('textarea').value").asText())
        .isEqualTo("a & b = c # d % e");
    assertThat(visitor.text(".slider output")).isEqualTo("128 latents");
    assertThat(visitor.run("document.querySelector('.seg :checked').value").asText())
        .isEqualTo("error");
    assertThat(visitor.text(".pairs b")).isEqualTo("3");
  }

  @Test
  void link_ofNonsense_showsTheStart() throws Exception {
    read("#view=nowhere&at=-1&width=abc&edits=explode:9&levels=9,,&sae=" + "x".repeat(50));

    assertThat(visitor.text(".strip")).contains("occupants");
    assertThat(visitor.text("main .notice")).contains("is not open here; this is " + Answers.FIRST);
    assertThat(visitor.complaints()).isEmpty();
  }

  @Test
  void history_backAndForward_changeViews() throws Exception {
    read("");

    visitor.click("aside .id");
    visitor.awaitElement("article");
    visitor.press("Compare");
    visitor.awaitElement(".sides .strip");
    visitor.back();
    visitor.awaitElement("article");
    visitor.back();
    visitor.awaitElement(".read .strip");
    visitor.forward();
    visitor.awaitElement("article");

    assertThat(visitor.text("title")).matches("Latent \\d+ · Matryoshka SAE");
    assertThat(visitor.complaints()).isEmpty();
  }

  @Test
  void tabs_two_doNotDisturbEachOther() throws Exception {
    read("");
    try (Chromium tab = visitor.browser().newTab()) {
      Visitor second = new Visitor(tab);
      second.open(server.address(), "#text=another+text");
      second.awaitText(".strip", "another text");
      visitor.browser().bringToFront();
      visitor.type("textarea", "the first");
      visitor.awaitText(".strip", "the first");

      assertThat(second.text(".strip")).isEqualTo("<bos>another text");
      assertThat(second.complaints()).isEmpty();
    }
    visitor.browser().bringToFront();
    assertThat(visitor.complaints()).isEmpty();
  }

  @Test
  void server_endedAndStartedAgain_isSaidAndThePageGoesOn() throws Exception {
    read("");
    server.stop();
    visitor.type("textarea", "typed while it was away");
    visitor.awaitText(".banner", "The server does not answer.");
    assertThat(visitor.text(".strip")).contains("occupants");

    server.startAgain();
    visitor.awaitText(".strip", "typed while it was away");
    visitor.await("document.querySelector('.banner').textContent === ''");
  }

  @Test
  void server_endedWhileStreaming_keepsTheTextAndSaysSo() throws Exception {
    server.holdLinesAfter(4);
    read("#view=intervene&tokens=200");
    visitor.press("Generate");
    visitor.awaitText(".story", "word2");

    server.stop();
    visitor.awaitText("[role=alert]", "The answer broke off before its end.");
    visitor.awaitText(".banner", "The server does not answer.");

    assertThat(visitor.text(".story")).contains("word2");
    server.startAgain();
    visitor.await("!document.querySelector('.banner .bad')");
  }

  @Test
  void token_inTheAddress_isKeptAndTakenOut() throws Exception {
    server.ask("sesame");
    read("#token=sesame&at=2");

    assertThat(visitor.run("location.href").asText()).doesNotContain("sesame");
    assertThat(visitor.text(".pairs b")).isEqualTo("2");
    visitor.run("sessionStorage.clear()");
    visitor.open(server.address(), "");
    visitor.awaitElement(".banner form");
    visitor.type(".banner input", server.address() + "#token=sesame");
    visitor.press("Go on");
    visitor.awaitElement(TOKENS);
  }

  @Test
  void text_tooLong_saysTheLimit() throws Exception {
    read("");
    server.fail(
        "/api/latents", 413, "text_too_long", "the text has 900 tokens; at most 512 are read here");

    visitor.type("textarea", "long");
    visitor.awaitText("[role=alert]", "The text has 900 tokens; at most 512 are read here.");
    server.heal();
    visitor.insert(" no more");

    visitor.awaitText(".strip", "long no more");
    assertThat(visitor.count("[role=alert]")).isZero();
  }

  @Test
  void queue_full_isWaitedFor() throws Exception {
    read("");
    server.fail("/api/latents", 429, "too_many_calls", "64 calls are waiting");

    visitor.type("textarea", "patience");
    visitor.awaitText(".text-box [role=status]", "Reading the text…");
    server.heal();

    visitor.awaitText(".strip", "patience");
  }

  @Test
  void sae_withoutModel_offersItsLatents() throws Exception {
    read("");

    visitor.set(".top select", Answers.NO_MODEL);
    visitor.awaitText(".empty", "There is no language model for this SAE here");
    visitor.press("Look at its latents");
    visitor.awaitElement(".list tbody tr");

    assertThat(visitor.fragment()).contains("sae=" + Answers.NO_MODEL);
    assertThat(visitor.complaints()).isEmpty();
  }

  @Test
  void menu_goneJustNow_doesNotHearThePointer() throws Exception {
    read("");
    visitor.awaitElement(".menu");
    visitor.run(
        """
        new MutationObserver((_, observer) => {
          if (!document.querySelector('.menu')) {
            observer.disconnect();
            document.dispatchEvent(new Event('pointerdown'));
            document.title = 'pressed';
          }
        }).observe(document, {childList: true, subtree: true})""");

    visitor.set(".top select", Answers.NO_MODEL);
    visitor.await("document.title === 'pressed'");

    assertThat(visitor.complaints()).isEmpty();
  }

  @Test
  void corpus_beingRead_showsHowFarItIs() throws Exception {
    server.answers().holdCorpus(true);
    read("");

    visitor.awaitText(".facts", "encode");
    assertThat(visitor.count("progress")).isEqualTo(1);
    server.answers().holdCorpus(false);
    visitor.awaitText(".facts", "corpus texts.txt: 20,000 tokens");

    assertThat(visitor.count("progress")).isZero();
  }

  @Test
  void export_pressed_savesTheFileOfTheServer() throws Exception {
    read("");
    visitor.run(
        "window.saved = []; HTMLAnchorElement.prototype.click = function () { saved.push(this.download); }");

    visitor.listen();
    visitor.press("Export ▾");
    visitor.click(".menu button:nth-child(2)");
    visitor.await("saved.length === 1");

    assertThat(visitor.run("saved[0]").asText()).isEqualTo("latents.csv");
    assertThat(server.lastCall("/api/export"))
        .contains("\"view\":\"latents\",\"format\":\"csv\"")
        .contains("\"text\":\"" + Answers.EXAMPLE + "\"");
    visitor.awaitSaid("latents.csv saved");
    assertThat(visitor.complaints()).isEmpty();
  }

  @Test
  void sameCalls_opened_canBeCopied() throws Exception {
    read("");
    visitor.run(
        "navigator.clipboard.writeText = text => { window.copied = text; return Promise.resolve(); }");

    visitor.press("Same on the command line");
    visitor.click(".foot details[open] button");
    visitor.await("window.copied");

    assertThat(visitor.run("copied").asText()).startsWith("matryoshka-sae latents");
    visitor.listen();
    visitor.press("Copy link");
    visitor.await("copied.startsWith('http')");
    visitor.awaitSaid("Link copied: it opens this view on this machine");
  }
}
