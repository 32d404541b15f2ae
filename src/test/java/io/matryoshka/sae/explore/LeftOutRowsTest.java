package io.matryoshka.sae.explore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.npy.NpyWriter;
import io.matryoshka.sae.stream.ActivationException;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.RowMask;
import io.matryoshka.sae.stream.RowRules;
import io.matryoshka.sae.support.HandSae;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rows that do not count enter no density, mean, context, pair or absorption. */
class LeftOutRowsTest {

  private static final float INF = Float.POSITIVE_INFINITY;
  private static final float[][] ROWS = {{1, 0}, {0, 1}, {0.6f, 0.8f}};

  @TempDir private Path folder;

  private ActivationSource source;

  @BeforeEach
  void writeRows() throws IOException {
    source = ActivationSource.open(List.of(npy("x.npy", 2, 1, 0, 2, 0, INF, 9, 3, 0, 4, 0)));
  }

  private Path npy(String name, int columns, float... values) throws IOException {
    Path file = folder.resolve(name);
    try (NpyWriter writer = NpyWriter.create(file, values.length / columns, columns)) {
      writer.write(values, 0, values.length);
      writer.finish();
    }
    return file;
  }

  private Exploration explore(RowRules rules, int rowsPerBatch) throws IOException {
    try (SAE sae = HandSae.load(folder, List.of(1, 3), "none", ROWS)) {
      ExplorerOptions options = ExplorerOptions.defaults().contexts(8, 8).rows(rules);
      ExplorerOptions batched =
          new ExplorerOptions(
              options.latents(),
              options.contexts(),
              options.reach(),
              options.relatives(),
              1,
              options.maxPairs(),
              rowsPerBatch,
              rules,
              true);
      return new Explorer(sae).explore(source, batched);
    }
  }

  private void assertFourRowsCount(Exploration found) {
    assertThat(found.rows()).isEqualTo(5);
    assertThat(found.statistics().rows()).isEqualTo(4);
    assertThat(found.statistics().firings(0)).isEqualTo(4);
    assertThat(found.statistics().meanActivation(0)).isEqualTo(2.5);
    assertThat(found.statistics().density(0)).isEqualTo(1);
    assertThat(found.statistics().firings(1)).isZero();
    List<TopContext> contexts = found.contexts(0);
    assertThat(contexts).extracting(TopContext::row).containsExactly(4L, 3L, 1L, 0L);
    assertThat(contexts.get(0).firstRow()).isEqualTo(3);
    assertThat(contexts.get(0).activations()).containsExactly(3, 4);
    assertThat(contexts.get(2).activations()).containsExactly(1, 2);
    assertThat(found.profiles().get(0).absorption().orElseThrow().tokens()).isEqualTo(2);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 5})
  void explore_rowNotFinite_entersNothing(int rowsPerBatch) throws IOException {
    assertFourRowsCount(explore(RowRules.all().skipNonFinite(true), rowsPerBatch));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 5})
  void explore_maskedRow_entersNothing(int rowsPerBatch) throws IOException {
    RowMask mask = RowMask.open(npy("m.npy", 1, 1, 1, 0, 1, 1), Optional.empty());
    assertFourRowsCount(explore(RowRules.all().mask(mask), rowsPerBatch));
  }

  @Test
  void explore_rowNotFinite_stopsByDefault() {
    assertThatThrownBy(() -> explore(RowRules.all(), 2))
        .isInstanceOf(ActivationException.class)
        .hasMessageContaining("x.npy, row 2 (row 2 of all)");
  }
}
