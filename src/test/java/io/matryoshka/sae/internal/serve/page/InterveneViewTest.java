package io.matryoshka.sae.internal.serve.page;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Changing latents, and the continuations that stream in. */
class InterveneViewTest extends PageTest {

  @Test
  void change_added_showsItsEffect() throws Exception {
    read("#view=intervene");
    assertThat(server.calls("/api/intervene")).isZero();

    visitor.click(".picks button");
    visitor.awaitElement(".next tbody tr");

    assertThat(visitor.count(".edit")).isEqualTo(1);
    assertThat(visitor.count(".next tbody tr")).isEqualTo(10);
    assertThat(visitor.count("svg.chart rect")).isEqualTo(visitor.count(TOKENS) - 1);
    assertThat(server.lastCall("/api/intervene"))
        .contains("\"kind\":\"zero\"")
        .contains("\"positions\":null")
        .contains("\"skip_bos\":true");
    assertThat(visitor.complaints()).isEmpty();
  }

  @Test
  void change_steered_sendsItsValue() throws Exception {
    read("#view=intervene&edits=zero:17");

    visitor.set(".edit select", "steer");
    visitor.awaitElement("[aria-label='value of change 1']");
    visitor.set("[aria-label='value of change 1']", "-2.5");
    visitor.await("location.hash.includes('steer%3A17%3A-2.5')");
    visitor.awaitElement(".next tbody tr");

    assertThat(server.lastCall("/api/intervene"))
        .contains("{\"kind\":\"steer\",\"latent\":17,\"value\":-2.5}");
  }

  @Test
  void positions_chosenInTheText_becomeRanges() throws Exception {
    read("#view=intervene&edits=zero:17");

    visitor.press("Change at");
    for (int at : new int[] {2, 3, 4, 7}) {
      visitor.click(".strip [data-i='" + at + "']");
    }
    visitor.await("location.hash.includes('positions=2-4%2C7')");
    visitor.await("document.querySelectorAll('.t.chosen').length === 4");
    visitor.awaitElement(".next tbody tr");
    server.awaitCall("/api/intervene", "\"positions\":\"2-4,7\"");
    visitor.press("Predict after");
    visitor.click(".strip [data-i='3']");
    visitor.await("location.hash.includes('predict=3')");
    visitor.awaitText(".next h2", "Next token after");
  }

  @Test
  void positions_thatAreNone_areRefusedWithoutACall() throws Exception {
    read("#view=intervene&edits=zero:17&positions=2-x");

    visitor.awaitText("[role=alert]", "Positions are numbers and ranges");

    assertThat(server.calls("/api/intervene")).isZero();
  }

  @Test
  void continuations_streamIn_andEndWithTheWholeText() throws Exception {
    server.holdLinesAfter(10);
    read("#view=intervene&edits=zero:17&tokens=30");

    visitor.press("Generate");
    visitor.await("document.querySelectorAll('.story').length === 2");
    visitor.awaitText(".story", "word3");
    assertThat(visitor.text(".story")).doesNotContain("word29");
    server.releaseLines();
    visitor.awaitText(".sides .card:nth-child(2) p:last-child", "30 tokens, stopped at the number");

    assertThat(visitor.text(".story")).startsWith(Answers.EXAMPLE + " word0").endsWith("word29");
    assertThat(visitor.run("document.querySelectorAll('.story')[1].textContent").asText())
        .endsWith("leaf29");
    assertThat(visitor.complaints()).isEmpty();
  }

  @Test
  void continuation_stopped_keepsWhatThereIs() throws Exception {
    server.holdLinesAfter(4);
    read("#view=intervene&tokens=200");

    visitor.press("Generate");
    visitor.awaitText(".story", "word2");
    visitor.press("Stop");
    visitor.awaitText(".story + p", "stopped");
    String kept = visitor.text(".story");
    server.releaseLines();
    Thread.sleep(300); // What is still on its way would be there by then.

    assertThat(visitor.text(".story")).isEqualTo(kept).doesNotContain("word199");
    assertThat(visitor.count(".story")).isEqualTo(1);
    server.holdLinesAfter(4);
    visitor.press("Generate again");
    visitor.awaitText(".story", "word1");
    visitor.press("Stop");
  }

  @Test
  void compare_opened_showsBothSidesAndTheirMatches() throws Exception {
    read("#view=compare");

    assertThat(visitor.count(".sides .strip")).isEqualTo(2);
    assertThat(server.lastCall("/api/compare")).contains(Answers.FIRST).contains(Answers.SECOND);
    visitor.set("[aria-label='width on the left']", "128");
    visitor.await("document.querySelector('td.best')");
    assertThat(server.lastCall("/api/compare"))
        .contains("\"left\":{\"sae\":\"" + Answers.FIRST + "\",\"width\":128}")
        .contains("\"right\":{\"sae\":\"" + Answers.SECOND + "\",\"width\":null}");
    visitor.click(".sides .card:nth-child(2) .strip [data-i='4']");
    visitor.await("document.querySelectorAll('.sides .latents').length === 2");
    assertThat(
            visitor
                .run(
                    "[...document.querySelectorAll('.sides [aria-selected=true]')].map(t => t.dataset.i).join()")
                .asText())
        .isEqualTo("4,4");
    assertThat(visitor.complaints()).isEmpty();
  }

  @Test
  void compare_thatDoesNotFit_saysWhy() throws Exception {
    read("#view=read");
    server.fail("/api/compare", 409, "does_not_fit", "the two SAEs read different models");

    visitor.press("Compare");
    visitor.awaitText("[role=alert]", "The two SAEs read different models.");

    assertThat(visitor.count(".sides select")).isEqualTo(2);
  }
}
