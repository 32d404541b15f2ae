package io.matryoshka.sae.internal.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import org.junit.jupiter.api.Test;

class DataTableTest {

  private static final String HOSTILE = "</script><img src=x onerror=alert(1)>";

  private static JsonNode json(DataTable table) throws Exception {
    String html = table.html();
    String start = "<script type=\"application/json\">";
    int from = html.indexOf(start) + start.length();
    return new ObjectMapper().readTree(html.substring(from, html.indexOf("</script>", from)));
  }

  @Test
  void html_columns_travelRoundedAndCompact() throws Exception {
    DataTable table =
        new DataTable("latents")
            .add(Column.latent("latent", "Latent", "index"), new double[] {0, 1, 2})
            .add(
                Column.percent("density", "Density", "share of tokens", 1),
                new double[] {0.123456, 0, Double.NaN})
            .add(Column.number("mean", "Mean", "mean activation", 2), new double[] {1.239, 2, 3.5})
            .add(Column.text("token", "Token", "strongest token"), List.of("she", "", "##er"));

    JsonNode json = json(table);

    assertThat(json.get("rows").asInt()).isEqualTo(3);
    assertThat(json.get("data").toString())
        .isEqualTo("[[0,1,2],[0.123,0,null],[1.24,2,3.5],[\"she\",\"\",\"##er\"]]");
    assertThat(json.get("columns").get(1).toString())
        .isEqualTo("{\"key\":\"density\",\"format\":\"percent\",\"decimals\":1}");
  }

  @Test
  void html_hostileToken_cannotEndItsElement() throws Exception {
    DataTable table =
        new DataTable("t").add(Column.text("token", HOSTILE, HOSTILE), List.of(HOSTILE));

    assertThat(table.html().split("</script>", -1)).hasSize(2);
    assertThat(table.html()).doesNotContain("<img");
    assertThat(json(table).get("data").get(0).get(0).asText()).isEqualTo(HOSTILE);
  }

  @Test
  void add_columnOfOtherLength_namesBothLengths() {
    DataTable table = new DataTable("t").add(Column.number("a", "A", "", 0), new double[3]);

    assertThatThrownBy(() -> table.add(Column.number("b", "B", "", 0), new double[2]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("table 't': column 'b' must have 3 rows as the others do, got 2");
  }

  @Test
  void add_textInNumberColumn_isRefused() {
    assertThatThrownBy(() -> new DataTable("t").add(Column.number("b", "B", "", 0), List.of("x")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("format NUMBER");
  }

  @Test
  void column_linkToOtherScheme_isRefused() {
    assertThatThrownBy(() -> Column.link("page", "Page", "", "javascript:alert(1)//"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("https://");
  }

  @Test
  void html_rowsOfAFullSae_stayBelowTwoMegabytes() {
    int rows = 32768;
    double[] latent = new double[rows];
    double[] density = new double[rows];
    for (int i = 0; i < rows; i++) {
      latent[i] = i;
      density[i] = 1 / (1.0 + i);
    }
    DataTable table = new DataTable("t").add(Column.latent("latent", "Latent", ""), latent);
    for (int c = 0; c < 6; c++) {
      table.add(Column.percent("c" + c, "C", "", 3), density);
    }

    assertThat(table.html().length()).isLessThan(2_000_000);
  }
}
