package io.matryoshka.sae.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class TokenStripTest {

  @Test
  void html_tokens_areShadedByShareOfTheLargest() {
    TokenStrip strip = new TokenStrip(List.of("she", "said", "\n"), new float[] {2, 0, 4}, 8, 1);

    assertThat(strip.html())
        .isEqualTo(
            "<p class=\"strip c1\">"
                + "<span class=\"t on\" style=\"--a:0.25\" title=\"2\">she</span>"
                + "<span class=\"t\">said</span>"
                + "<span class=\"t on\" style=\"--a:0.50\" title=\"4\">↵</span></p>");
  }

  @Test
  void html_hostileToken_isText() {
    assertThat(new TokenStrip(List.of("<img onerror=x>"), new float[] {1}, 1, 0).html())
        .contains("&lt;img onerror=x&gt;");
  }

  @Test
  void constructor_activationMissing_namesTheNumberOfTokens() {
    assertThatThrownBy(() -> new TokenStrip(List.of("a", "b"), new float[] {1}, 1, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("2 tokens");
  }
}
