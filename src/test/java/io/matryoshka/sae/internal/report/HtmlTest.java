package io.matryoshka.sae.internal.report;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HtmlTest {

  @Test
  void escape_markup_becomesEntities() {
    assertThat(Html.escape("</script><img src=x onerror='a(\"b\")'> & c"))
        .isEqualTo("&lt;/script&gt;&lt;img src=x onerror=&#39;a(&quot;b&quot;)&#39;&gt; &amp; c");
  }

  @Test
  void escape_charactersOutsideHtml_becomeReplacementCharacters() {
    assertThat(Html.escape("a\u0000b\u001bc\u007fd\ud800e\ufffff\ud83d\ude00\n\t"))
        .isEqualTo("a\ufffdb\ufffdc\ufffdd\ufffde\ufffdf\ud83d\ude00\n\t");
  }

  @ParameterizedTest
  @CsvSource({
    "Explained variance by width,explained-variance-by-width",
    "Überblick!,berblick",
    "...,section"
  })
  void slug_title_keepsLettersAndDigits(String title, String slug) {
    assertThat(Html.slug(title)).isEqualTo(slug);
  }
}
