package io.matryoshka.sae.internal.report;

import com.fasterxml.jackson.databind.JsonNode;
import io.matryoshka.sae.internal.io.AtomicFile;
import io.matryoshka.sae.internal.io.Checksum;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;

/**
 * One HTML page that holds its style, scripts and data. It opens without a network; its content
 * security policy lets it load nothing and run only its own scripts.
 */
public final class Page {

  private record Section(String id, String title, List<Block> blocks) {}

  private record Data(String id, JsonNode content) {}

  private final String title;
  private final String subtitle;
  private final List<Section> sections = new ArrayList<>();
  private final List<Data> data = new ArrayList<>();
  private final List<String> scripts = new ArrayList<>(List.of(Resources.text("page.js")));
  private final Set<String> ids = new HashSet<>();

  /**
   * Starts a page.
   *
   * @param title heading and title of the window
   * @param subtitle one line below it, such as the release and the number of tokens
   */
  public Page(String title, String subtitle) {
    this.title = Objects.requireNonNull(title, "title");
    this.subtitle = Objects.requireNonNull(subtitle, "subtitle");
  }

  /**
   * Adds a section, which the navigation at the top leads to.
   *
   * @param heading its heading
   * @param blocks its content
   * @return this page
   */
  public Page section(String heading, Block... blocks) {
    String slug = Html.slug(heading);
    String id = slug;
    for (int n = 2; !ids.add(id); n++) {
      id = slug + "-" + n;
    }
    sections.add(new Section(id, heading, List.of(blocks)));
    return this;
  }

  /**
   * Adds data for a script of the page.
   *
   * @param id id of the element that holds it as JSON
   * @param content the data; texts in it may hold anything
   * @return this page
   * @throws IllegalArgumentException if the id is taken
   */
  public Page data(String id, JsonNode content) {
    if (!Html.slug(id).equals(id) || !ids.add(id)) {
      throw new IllegalArgumentException(
          "data id: expected lower-case letters, digits and hyphens, not used before, got " + id);
    }
    data.add(new Data(id, content));
    return this;
  }

  /**
   * Adds a script, run after the page's own.
   *
   * @param source its text, from the library's own resources
   * @return this page
   * @throws IllegalArgumentException if it would end its own element
   */
  public Page script(String source) {
    if (source.toLowerCase(Locale.ROOT).contains("</script")) {
      throw new IllegalArgumentException("a script of a page must not hold </script");
    }
    scripts.add(source);
    return this;
  }

  /**
   * Returns the page.
   *
   * @return an HTML document; the same content gives the same text
   */
  public String html() {
    StringBuilder out = new StringBuilder("<!DOCTYPE html>\n<html lang=\"en\"><head>");
    out.append("<meta charset=\"utf-8\"><meta http-equiv=\"Content-Security-Policy\" content=\"")
        .append(policy() + "\"><meta name=\"viewport\" content=\"width=device-width,")
        .append("initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\">")
        .append("<link rel=\"icon\" href=\"data:,\"><title>" + Html.escape(title) + "</title>")
        .append("<style>" + Palette.css(":root") + Resources.text("chart.css"))
        .append(Resources.text("page.css") + "</style></head>\n<body><header><h1>")
        .append(Html.escape(title) + "</h1><p class=\"muted\">" + Html.escape(subtitle))
        .append("</p></header><nav aria-label=\"Sections\"><ul>");
    for (Section section : sections) {
      out.append("<li><a href=\"#" + section.id() + "\">" + Html.escape(section.title()))
          .append("</a></li>");
    }
    out.append("</ul></nav><main>\n");
    for (Section section : sections) {
      out.append("<section id=\"" + section.id() + "\" aria-labelledby=\"" + section.id())
          .append("-title\"><h2 id=\"" + section.id() + "-title\">")
          .append(Html.escape(section.title()) + "</h2>\n");
      section.blocks().forEach(block -> out.append(block.html()).append('\n'));
      out.append("</section>\n");
    }
    out.append("</main>\n");
    for (Data one : data) {
      out.append("<script type=\"application/json\" id=\"" + one.id() + "\">")
          .append(PageJson.write(one.content()) + "</script>\n");
    }
    scripts.forEach(script -> out.append("<script>" + script + "</script>\n"));
    return out.append("</body></html>\n").toString();
  }

  /**
   * Writes the page.
   *
   * @param file the target, in UTF-8
   * @throws IOException if it cannot be written
   */
  public void write(Path file) throws IOException {
    AtomicFile.write(file, html());
  }

  private String policy() {
    StringBuilder policy =
        new StringBuilder(
            "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:;"
                + " style-src 'unsafe-inline'; script-src");
    for (String script : scripts) {
      policy.append(" 'sha256-").append(sha256(script)).append('\'');
    }
    return policy.toString();
  }

  private static String sha256(String text) {
    byte[] hash = Checksum.sha256().digest(text.getBytes(StandardCharsets.UTF_8));
    return Base64.getEncoder().encodeToString(hash);
  }
}
