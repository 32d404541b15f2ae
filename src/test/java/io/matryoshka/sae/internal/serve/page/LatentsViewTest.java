package io.matryoshka.sae.internal.serve.page;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import org.junit.jupiter.api.Test;

/** The list of latents and the page of one. */
class LatentsViewTest extends PageTest {

  private static final String ROWS =
      "[...document.querySelectorAll('.list tbody tr')].map(r => [...r.children].map(c => c.textContent.trim()))";

  private static void open(String fragment) throws Exception {
    visitor.open(server.address(), fragment);
    visitor.awaitElement(".list tbody tr");
  }

  @Test
  void list_searched_showsWhatTheServerFinds() throws Exception {
    open("#view=latents");
    assertThat(visitor.run(ROWS)).hasSize(50);

    visitor.type("#search", "plants");
    visitor.awaitText(".list .total", "114 of 2,048");
    JsonNode found = visitor.run(ROWS);
    visitor.type("#search", "no such label");
    visitor.awaitText(".list .empty", "No latent has “no such label”");

    assertThat(found).hasSize(50);
    assertThat(found).allMatch(row -> row.get(2).asText().equals("plants"));
    assertThat(visitor.complaints()).isEmpty();
  }

  @Test
  void list_more_addsTheNextPart() throws Exception {
    open("#view=latents&level=1");

    visitor.press("Show 46 more");
    visitor.await("document.querySelectorAll('.list tbody tr').length === 96");

    JsonNode rows = visitor.run(ROWS);
    assertThat(rows.get(0).get(0).asText()).isEqualTo("32");
    assertThat(rows.get(95).get(0).asText()).isEqualTo("127");
    assertThat(
            visitor
                .run(
                    "[...document.querySelectorAll('button')].some(b => /^Show .* more$/.test(b.textContent))")
                .asBoolean())
        .isFalse();
  }

  @Test
  void latent_opened_showsAllThatIsKnown() throws Exception {
    open("#view=latents");

    visitor.click(".list tbody tr:nth-child(18) a");
    visitor.awaitText("article h2", "Latent 17");
    visitor.awaitText("article", "In your text");

    assertThat(
            visitor
                .run(
                    "[...document.querySelectorAll('article h2')].map(h => h.textContent).join('|')")
                .asText())
        .isEqualTo(
            "Latent 17|In your text|When it fires|What it makes likelier|Parents and children|Nearest directions|Nearest on other levels");
    assertThat(visitor.count("svg.chart rect")).isEqualTo(14);
    assertThat(visitor.count(".context")).isEqualTo(12);
    assertThat(visitor.text(".context .peak")).isNotEmpty().doesNotContain("▁");
    assertThat(visitor.text(".tree .self")).contains("17");
    assertThat(visitor.count(".tree ul li")).isEqualTo(3);
    visitor.click(".tree ul button[aria-expanded=false]");
    visitor.await("document.querySelectorAll('.tree ul li').length === 6");
    assertThat(visitor.run("document.querySelector('.label-line a').href").asText())
        .isEqualTo("https://www.neuronpedia.org/gemma-2-2b/12/17");
    visitor.back();
    visitor.await("!document.querySelector('article')");
    assertThat(visitor.complaints()).isEmpty();
  }

  @Test
  void latents_withoutALabel_areShownByTheirTokens() throws Exception {
    open("#view=latents&latent=17");
    visitor.awaitElement("article .near");

    assertThat(
            visitor
                .run(
                    "[...document.querySelectorAll('.near li')].map(li =>"
                        + " [li.querySelector('.id').textContent, li.querySelector('.label').textContent])"
                        + ".filter(([id]) => id % 3 !== 0)"
                        + ".every(([id, text]) => text === (id % 2 === 0 ? 'garden leaf' : 'promotes “tree”'))")
                .asBoolean())
        .isTrue();
    assertThat(visitor.count(".near .label.none")).isPositive();
    assertThat(visitor.text(".tree .label.none")).isEqualTo("garden leaf");
  }

  @Test
  void label_edited_isKeptAndShownEverywhere() throws Exception {
    open("#view=latents&latent=1");
    visitor.press("Add a label");

    visitor.type("#label", "words of my own");
    visitor.key("Enter", 13);
    visitor.insert("\r");
    visitor.run("document.querySelector('.label-form')?.requestSubmit()");
    visitor.awaitText(".label-line q", "words of my own");

    assertThat(server.lastCall("/api/label")).contains("PUT").contains("words of my own");
    visitor.awaitText(".list tr.open", "words of my own");
    visitor.press("Remove yours");
    visitor.awaitText(".label-line", "No label yet");
  }

  @Test
  void label_refused_saysWhyAndKeepsTheForm() throws Exception {
    open("#view=latents&latent=1");
    server.fail("/api/label", 409, "no_label_file", "the folder of labels cannot be written");
    visitor.press("Add a label");

    visitor.type("#label", "lost?");
    visitor.press("Keep");
    visitor.awaitText(".label-form [role=alert]", "The folder of labels cannot be written.");

    assertThat(visitor.run("document.querySelector('#label').value").asText()).isEqualTo("lost?");
  }

  @Test
  void latent_beyondTheSae_saysWhichThereAre() throws Exception {
    open("#view=latents&latent=5000");

    visitor.awaitText(".empty", "There is no latent 5000: this SAE has latents 0 to 2047.");
  }

  @Test
  void latent_intervene_addsItToTheChanges() throws Exception {
    open("#view=latents&latent=17");
    visitor.awaitElement("article");

    visitor.press("Change in text");
    visitor.awaitElement(".edit");

    assertThat(visitor.fragment()).contains("view=intervene").contains("edits=zero:17");
  }

  @Test
  void contexts_hostile_areOnlyText() throws Exception {
    server.answers().put("</span><img src=x onerror=window.hit=1>");
    open("#view=latents&latent=17");
    visitor.awaitElement(".context");

    assertThat(visitor.count("#app img")).isZero();
    assertThat(visitor.run("window.hit === undefined").asBoolean()).isTrue();
    assertThat(visitor.text(".context .peak")).isEqualTo("</span><img src=x onerror=window.hit=1>");
    assertThat(visitor.text(".label-line q")).contains("<img src=x");
  }
}
