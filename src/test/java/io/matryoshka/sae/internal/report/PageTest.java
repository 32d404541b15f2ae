package io.matryoshka.sae.internal.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PageTest {

  private static final String HOSTILE = "</script><script>alert(1)</script><img onerror=x>\u2028";

  private static Page page(String text) {
    return new Page(text, text)
        .section(
            text,
            Prose.of(text),
            new KeyFigures().add(text, text),
            new Table(text, List.of(text), List.of(List.of(text))),
            new DataTable(text).add(Column.text("a", text, text), List.of(text)),
            Row.of(Prose.of(text)))
        .data("tokens", JsonNodeFactory.instance.arrayNode().add(text));
  }

  @Test
  void html_hostileTextEverywhere_addsNoElement() {
    String plain = page("a").html();
    String hostile = page(HOSTILE).html();

    for (String tag : List.of("<script", "</script>", "<img")) {
      assertThat(hostile.split(Pattern.quote(tag), -1))
          .as(tag)
          .hasSameSizeAs(plain.split(Pattern.quote(tag), -1));
    }
  }

  @Test
  void html_hostileData_comesBackAsItWas() throws Exception {
    Matcher data =
        Pattern.compile("<script type=\"application/json\" id=\"tokens\">(.*?)</script>")
            .matcher(page(HOSTILE).html());

    assertThat(data.find()).isTrue();
    assertThat(new ObjectMapper().readTree(data.group(1)).get(0).asText()).isEqualTo(HOSTILE);
  }

  @Test
  void html_policy_allowsExactlyTheScriptsOfThePage() throws Exception {
    String html = page("a").script("report.el('p');").html();
    Matcher script = Pattern.compile("<script>(.*?)</script>", Pattern.DOTALL).matcher(html);

    int found = 0;
    while (script.find()) {
      byte[] hash =
          MessageDigest.getInstance("SHA-256")
              .digest(script.group(1).getBytes(StandardCharsets.UTF_8));
      assertThat(html).contains("'sha256-" + Base64.getEncoder().encodeToString(hash) + "'");
      found++;
    }
    assertThat(found).isEqualTo(2);
    assertThat(html).contains("default-src 'none'");
  }

  @Test
  void html_page_namesNoOtherHost() {
    assertThat(page("a").html().replace("http://www.w3.org/2000/svg", ""))
        .doesNotContain("http://")
        .doesNotContain("https://");
  }

  @Test
  void html_sectionsOfOneTitle_haveDifferentIds() {
    String html = new Page("t", "s").section("Same").section("Same").html();

    assertThat(html).contains("<section id=\"same\"").contains("<section id=\"same-2\"");
  }

  @Test
  void script_thatEndsItself_isRefused() {
    Page page = new Page("t", "s");

    assertThatThrownBy(() -> page.script("'</SCRIPT>'"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void data_idTwice_isRefused() {
    Page page = page("a");

    assertThatThrownBy(() -> page.data("tokens", JsonNodeFactory.instance.nullNode()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("tokens");
  }

  @Test
  void write_sameContent_sameBytes(@TempDir Path folder) throws Exception {
    page("ä").write(folder.resolve("a.html"));
    page("ä").write(folder.resolve("b.html"));

    assertThat(Files.mismatch(folder.resolve("a.html"), folder.resolve("b.html"))).isEqualTo(-1);
  }
}
