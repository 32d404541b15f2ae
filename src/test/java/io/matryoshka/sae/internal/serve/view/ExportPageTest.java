package io.matryoshka.sae.internal.serve.view;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Pages to keep show of latents what the served page shows. */
class ExportPageTest {

  private static ObjectNode json(String text) throws IOException {
    return (ObjectNode) new ObjectMapper().readTree(text);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"verbs\" | \"▁was ▁is\" | \" was\" | verbs",
        "null | \"▁was ▁is <0x0A>\" | \" was\" | was is",
        "null | null | \" was\" | promotes “was”",
        "null | null | \" \" | promotes “␣”",
        "null | null | null | ''"
      })
  void neighbour_hasItsLabelElseItsTokens(
      String label, String tokens, String promoted, String meaning) throws IOException {
    String near =
        "{\"latent\": 530, \"cosine\": 0.5, \"label\": %s, \"top_tokens\": %s, \"promoted\": %s}"
            .formatted(label, tokens, promoted);

    assertThat(Meaning.of(json(near)).strip()).isEqualTo(meaning);
    String page =
        new ExportPage(
                Export.View.LATENT,
                json("{\"latent\": 3, \"nearest\": {\"decoder\": [%s]}}".formatted(near)))
            .html();
    assertThat(page).containsPattern(">530<").contains("label or tokens", meaning);
  }

  @Test
  void matches_haveTheirLabels() throws IOException {
    ObjectNode answer =
        json(
            """
            {"left": {"labels": {"17": "names of animals"}}, "right": {"labels": {"20": "pets"}},
             "matches": [{"left": 17, "right": 20, "cosine": 0.9, "tokens_both": 3}]}""");

    assertThat(new ExportPage(Export.View.COMPARE, answer).html())
        .contains("names of animals", "pets");
  }
}
