package io.matryoshka.sae.explore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.matryoshka.sae.SparseLatents;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TopContextsTest {

  private static final int LATENTS = 5;
  private static final int ROWS = 83;
  private static final int COUNT = 4;
  private static final int REACH = 3;

  private static SparseLatents sparse(float[][] dense, int from, int to) {
    int[] offsets = new int[to - from + 1];
    List<Integer> latents = new ArrayList<>();
    List<Float> values = new ArrayList<>();
    for (int row = from; row < to; row++) {
      for (int latent = 0; latent < LATENTS; latent++) {
        if (dense[row][latent] != 0) {
          latents.add(latent);
          values.add(dense[row][latent]);
        }
      }
      offsets[row - from + 1] = latents.size();
    }
    float[] activations = new float[values.size()];
    IntStream.range(0, activations.length).forEach(i -> activations[i] = values.get(i));
    return SparseLatents.of(
        offsets, latents.stream().mapToInt(i -> i).toArray(), activations, LATENTS);
  }

  /** Activations with many ties; latent 4 never fires. */
  private static float[][] activations() {
    Random random = new Random(3);
    float[][] dense = new float[ROWS][LATENTS];
    for (float[] row : dense) {
      for (int latent = 0; latent < LATENTS - 1; latent++) {
        row[latent] = random.nextInt(3) == 0 ? 1 + random.nextInt(6) : 0;
      }
    }
    return dense;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7, 40, 83})
  void strongest_anySplitIntoBatches_isTheSortedList(int batch) {
    float[][] dense = activations();
    TopContexts contexts = new TopContexts(LATENTS, COUNT, REACH);
    for (int from = 0; from < ROWS; from += batch) {
      contexts.add(
          from, new float[0], sparse(dense, from, Math.min(ROWS, from + batch)), new BitSet());
    }

    for (int latent = 0; latent < LATENTS; latent++) {
      assertThat(contexts.strongest(latent)).isEqualTo(sorted(dense, latent));
    }
  }

  private static List<TopContext> sorted(float[][] dense, int latent) {
    return IntStream.range(0, ROWS)
        .filter(row -> dense[row][latent] > 0)
        .boxed()
        .sorted(
            Comparator.comparingDouble((Integer row) -> -dense[row][latent])
                .thenComparingInt(row -> row))
        .limit(COUNT)
        .map(
            row -> {
              int from = Math.max(0, row - REACH);
              float[] around = new float[Math.min(ROWS, row + REACH + 1) - from];
              for (int i = 0; i < around.length; i++) {
                around[i] = dense[from + i][latent];
              }
              return new TopContext(row, from, around);
            })
        .toList();
  }

  @Test
  void add_rowsOutOfOrder_namesTheExpectedRow() {
    TopContexts contexts = new TopContexts(LATENTS, 1, 0);
    contexts.add(2, new float[0], sparse(activations(), 2, 4), new BitSet());

    assertThatThrownBy(
            () -> contexts.add(5, new float[0], sparse(activations(), 0, 1), new BitSet()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("top contexts: expected the rows from 4, got those from 5");
  }

  @Test
  void merge_sameRowInBothParts_isRefused() {
    TopContexts contexts = new TopContexts(LATENTS, COUNT, REACH);
    TopContexts again = new TopContexts(LATENTS, COUNT, REACH);
    contexts.add(0, new float[0], sparse(activations(), 0, 9), new BitSet());
    again.add(0, new float[0], sparse(activations(), 0, 9), new BitSet());

    assertThatThrownBy(() -> contexts.merge(again))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("both parts hold row");
    assertThatThrownBy(() -> contexts.merge(new TopContexts(LATENTS, COUNT, REACH + 1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("expected contexts of 5 latents, 4 tokens and a reach of 3");
  }

  @Test
  void constructor_contextsBeyondAnArray_areRefused() {
    assertThatThrownBy(() -> new TopContexts(32768, 100, 1000))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("2^31");
  }

  @Test
  void within_sequences_cutsAtTheirEnds() {
    Tokens tokens = Tokens.of(List.of("a", "b", "c", "d", "e"), new int[] {0, 1, 1, 1, 2});
    TopContext context = new TopContext(2, 0, new float[] {9, 1, 2, 0, 8});

    assertThat(context.within(tokens)).isEqualTo(new TopContext(2, 1, new float[] {1, 2, 0}));
    assertThat(context.activation()).isEqualTo(2);
  }
}
