package io.matryoshka.sae.explore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.eval.LatentStatistics;
import io.matryoshka.sae.stream.RowRules;
import java.io.IOException;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Against numpy in float64 on what SAELens gave; explore/make_expected.py. */
class DemoExplorationTest {

  private static final long IGNORED = 0;

  private static SAE sae;
  private static JsonNode expected;

  @BeforeAll
  static void load() throws IOException {
    sae = DemoSource.sae();
    expected = DemoSource.expected();
  }

  @AfterAll
  static void close() {
    sae.close();
  }

  private static void run(LatentPass.Collector... collectors) throws IOException {
    LatentPass.run(sae, DemoSource.source(), RowRules.all(), 100, List.of(collectors), done -> {});
  }

  @Test
  void topContexts_rowsAndWindows_areThoseOfNumpy() throws IOException {
    TopContexts contexts = new TopContexts(sae.dSae(), 8, 3);
    run(contexts);

    for (Map.Entry<String, JsonNode> entry : expected.get("top").properties()) {
      List<TopContext> found = contexts.strongest(Integer.parseInt(entry.getKey()));
      assertThat(found.stream().map(c -> (int) c.row()).toList())
          .as("latent %s", entry.getKey())
          .isEqualTo(ints(entry.getValue()));
    }
    float[] window = contexts.strongest(17).get(0).activations();
    assertThat(window).hasSameSizeAs(ints(expected.get("window")));
    for (int i = 0; i < window.length; i++) {
      assertThat((double) window[i])
          .isCloseTo(expected.get("window").get(i).asDouble(), within(1e-5));
    }
  }

  private static List<Integer> ints(JsonNode list) {
    return IntStream.range(0, list.size()).mapToObj(i -> list.get(i).asInt()).toList();
  }

  @ParameterizedTest
  @EnumSource(Direction.class)
  void nearestLatents_withinTheSae_areThoseOfNumpy(Direction direction) {
    JsonNode cases = expected.get(direction.name().toLowerCase(java.util.Locale.ROOT));
    int[] latents =
        cases.properties().stream().mapToInt(e -> Integer.parseInt(e.getKey())).toArray();

    List<List<Neighbour>> found =
        new NearestLatents(sae, sae, direction, 5).find(latents, done -> {});

    for (int i = 0; i < latents.length; i++) {
      JsonNode wanted = cases.get(String.valueOf(latents[i]));
      assertThat(found.get(i)).hasSize(wanted.size());
      for (int n = 0; n < wanted.size(); n++) {
        assertThat(found.get(i).get(n).latent()).isEqualTo(wanted.get(n).get(0).asInt());
        assertThat(found.get(i).get(n).cosine())
            .isCloseTo(wanted.get(n).get(1).asDouble(), within(1e-12));
      }
    }
  }

  @Test
  void coactivations_parentsAndChildren_areThoseOfNumpy() throws IOException {
    CoactivationCounter counter = new CoactivationCounter(sae, CoactivationCounter.DEFAULT_PAIRS);
    run(counter);
    Coactivations found = counter.result(3);

    assertThat(found.missed()).isZero();
    assertThat(found.pairs()).isEqualTo(expected.get("pairs").asInt());
    for (Map.Entry<String, JsonNode> entry : expected.get("children").properties()) {
      List<Coactivation> children = found.children(Integer.parseInt(entry.getKey()), 5);
      check(children, children.stream().map(Coactivation::child).toList(), entry.getValue());
    }
    for (Map.Entry<String, JsonNode> entry : expected.get("parents").properties()) {
      List<Coactivation> parents = found.parents(Integer.parseInt(entry.getKey()), 5);
      check(parents, parents.stream().map(Coactivation::parent).toList(), entry.getValue());
    }
  }

  private static void check(List<Coactivation> pairs, List<Integer> others, JsonNode wanted) {
    assertThat(others)
        .isEqualTo(
            IntStream.range(0, wanted.size()).mapToObj(i -> wanted.get(i).get(0).asInt()).toList());
    for (int i = 0; i < pairs.size(); i++) {
      assertThat(pairs.get(i).both()).isEqualTo(wanted.get(i).get(1).asLong());
      assertThat(pairs.get(i).correlation())
          .isCloseTo(wanted.get(i).get(2).asDouble(), within(1e-12));
    }
  }

  @Test
  void absorption_ofTheFirstThreeLevels_isThatOfNumpy() throws IOException {
    FiringCounter firings = new FiringCounter(sae.dSae());
    run(firings);
    AbsorptionCheck check =
        new AbsorptionCheck(sae, IntStream.range(0, 512).toArray(), firings.statistics());
    run(check);

    List<Absorption> found = check.result();

    for (JsonNode wanted : expected.get("absorption")) {
      Absorption one = found.get(wanted.get(0).asInt());
      assertThat(List.of(one.tokens(), one.silent(), (long) one.topChild(), one.topChildTokens()))
          .as("parent %d", one.parent())
          .containsExactly(
              wanted.get(1).asLong(),
              wanted.get(2).asLong(),
              wanted.get(5).asLong(),
              wanted.get(6).asLong());
      if (wanted.get(3).isNull()) {
        assertThat(one.fraction()).isNaN();
      } else {
        assertThat(one.fraction()).isCloseTo(wanted.get(3).asDouble(), within(1e-5));
        assertThat(one.full()).isCloseTo(wanted.get(4).asDouble(), within(1e-12));
      }
    }
  }

  @Test
  void differences_ofFirstAndLastRows_areThoseOfNumpy() throws IOException {
    FiringCounter first = new FiringCounter(sae.dSae());
    FiringCounter last = new FiringCounter(sae.dSae());
    LatentPass.Collector split =
        (row, x, latents, leftOut) -> {
          first.add(row, x, latents.rows(0, 200), leftOut);
          last.add(row, x, latents.rows(200, latents.rows()), leftOut);
        };
    LatentPass.run(
        sae, DemoSource.source(), RowRules.all(), DemoSource.ROWS, List.of(split), done -> {});
    LatentStatistics one = first.statistics();

    List<LatentDifference> found = LatentDifference.between(one, last.statistics());

    for (JsonNode wanted : expected.get("differences")) {
      LatentDifference difference = found.get(wanted.get(0).asInt());
      assertThat(difference.density()).isCloseTo(wanted.get(1).asDouble(), within(1e-12));
      assertThat(difference.otherDensity()).isCloseTo(wanted.get(2).asDouble(), within(1e-12));
      assertThat(difference.z()).isCloseTo(wanted.get(3).asDouble(), within(1e-9));
    }
  }

  @Test
  void latentMatch_withTheSaeItself_isTheLatentItself() throws IOException {
    try (SAE again = DemoSource.sae()) {
      List<LatentMatch> matches = LatentMatch.between(sae.prefix(100), again, done -> {});

      for (LatentMatch match : matches) {
        assertThat(match.match()).isEqualTo(match.latent());
        assertThat(match.cosine()).isCloseTo(1, within(1e-12));
        assertThat(match.mutual()).isTrue();
      }
    }
  }

  @Test
  void firingCounter_batches_equalOneEncode() throws IOException {
    FiringCounter counter = new FiringCounter(sae.dSae());
    FiringCounter whole = new FiringCounter(sae.dSae());
    run(counter);
    LatentPass.run(
        sae, DemoSource.source(), RowRules.all(), DemoSource.ROWS, List.of(whole), done -> {});

    assertThat(counter.statistics()).isEqualTo(whole.statistics());
    assertThat(counter.statistics().rows()).isEqualTo(DemoSource.ROWS);
  }

  @Test
  void sparseLatents_ofNoRows_changeNothing() {
    FiringCounter counter = new FiringCounter(4);
    counter.add(
        IGNORED,
        new float[0],
        SparseLatents.of(new int[1], new int[0], new float[0], 4),
        new BitSet());

    assertThat(counter.statistics().rows()).isZero();
  }
}
