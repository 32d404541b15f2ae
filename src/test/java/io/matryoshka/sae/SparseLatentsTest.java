package io.matryoshka.sae;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.config.SaeFormatException;
import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SparseLatentsTest {

  /** Row 0 has latents 1, 3, 7; row 1 none; row 2 has 0 and 3. */
  private static SparseLatents sample() {
    return SparseLatents.of(
        new int[] {0, 3, 3, 5}, new int[] {1, 3, 7, 0, 3}, new float[] {2f, 5f, 2f, 1f, 4f}, 8);
  }

  private static void assertSame(SparseLatents got, SparseLatents expected) {
    assertThat(got.rowOffsets()).isEqualTo(expected.rowOffsets());
    assertThat(got.latents()).isEqualTo(expected.latents());
    assertThat(got.activations()).isEqualTo(expected.activations());
    assertThat(got.width()).isEqualTo(expected.width());
    assertThat(got.leadingShape()).isEqualTo(expected.leadingShape());
  }

  // Reading

  @Test
  void rows_sample_areReadOneByOne() {
    SparseLatents latents = sample();

    assertThat(latents.rows()).isEqualTo(3);
    assertThat(latents.activeCount()).isEqualTo(5);
    assertThat(List.of(latents.activeCount(0), latents.activeCount(1), latents.activeCount(2)))
        .containsExactly(3, 0, 2);
    assertThat(latents.activation(0, 3)).isEqualTo(5f);
    assertThat(latents.activation(1, 3)).isZero();
    List<ActiveLatent> seen = new ArrayList<>();
    latents.forEach(2, (latent, activation) -> seen.add(new ActiveLatent(latent, activation)));
    assertThat(seen).containsExactly(new ActiveLatent(0, 1f), new ActiveLatent(3, 4f));
    assertThat(latents).hasToString("SparseLatents[rows=3, width=8, active=5]");
  }

  @Test
  void strongest_equalActivations_lowerLatentFirst() {
    assertThat(sample().strongest(0, 10))
        .containsExactly(new ActiveLatent(3, 5f), new ActiveLatent(1, 2f), new ActiveLatent(7, 2f));
    assertThat(sample().strongest(0, 2)).hasSize(2);
    assertThat(sample().strongest(1, 2)).isEmpty();
  }

  @Test
  void arrays_changedByTheCaller_changeNothing() {
    int[] offsets = {0, 1};
    float[] activations = {1f};
    SparseLatents latents = SparseLatents.of(offsets, new int[] {2}, activations, 4);
    activations[0] = 9f;
    latents.activations()[0] = 9f;
    latents.latents()[0] = 0;
    latents.leadingShape()[0] = 7;

    assertThat(latents.activation(0, 2)).isEqualTo(1f);
    assertThat(latents.leadingShape()).containsExactly(1);
  }

  @Test
  void of_storedZeros_areDropped() {
    SparseLatents latents =
        SparseLatents.of(new int[] {0, 2, 3}, new int[] {1, 2, 0}, new float[] {0f, 3f, -0f}, 4);

    assertThat(latents.activeCount()).isEqualTo(1);
    assertThat(latents.rowOffsets()).containsExactly(0, 1, 1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "0,2    | 1,1   | 8 | latents of row 0 must rise within 0..7, got 1",
        "0,2    | 3,1   | 8 | latents of row 0 must rise within 0..7, got 1",
        "0,1,2  | 3,8   | 8 | latents of row 1 must rise within 0..7, got 8",
        "0,2    | -1,1  | 8 | latents of row 0 must rise within 0..7, got -1",
        "0,2,1,2| 1,2   | 8 | row offsets must rise from 0 to the number of entries; row 1 is [2, 1)",
        "0,9,2  | 1,2   | 8 | row offsets must rise from 0 to the number of entries; row 0 is [0, 9)",
        "1,2    | 1,2   | 8 | CSR arrays disagree: 2 row offsets, 2 latents, 2 values",
        "0,3    | 1,2   | 8 | CSR arrays disagree",
        "0,2    | 1,2   | 0 | width must be at least 1, got 0",
      })
  void of_brokenArrays_areRefused(String offsets, String latents, int width, String message) {
    int[] entries = ints(latents);

    assertThatThrownBy(
            () -> SparseLatents.of(ints(offsets), entries, new float[entries.length], width))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }

  private static int[] ints(String text) {
    return Arrays.stream(text.split(",")).map(String::strip).mapToInt(Integer::parseInt).toArray();
  }

  @Test
  void access_outOfRange_isRefused() {
    SparseLatents latents = sample();

    assertThatThrownBy(() -> latents.activeCount(3)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> latents.strongest(-1, 1))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> latents.rows(1, 4))
        .isInstanceOf(IndexOutOfBoundsException.class)
        .hasMessage("rows 1..4 of 3");
    for (int latent : new int[] {-1, 8}) {
      String message = "latent must lie in 0..7 (width 8), got " + latent;
      assertThatThrownBy(() -> latents.zero(latent)).hasMessage(message);
      assertThatThrownBy(() -> latents.set(latent, 1f)).hasMessage(message);
      assertThatThrownBy(() -> latents.activation(0, latent)).hasMessage(message);
    }
    assertThatThrownBy(() -> latents.range(3, 2))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("latent range must rise from 0, got 3..2");
  }

  @Test
  void toDense_aboveTwoGibibytes_saysTheSize() {
    SparseLatents latents = SparseLatents.of(new int[20_001], new int[0], new float[0], 32_768);
    try (NDManager manager = NDManager.newBaseManager(Device.cpu())) {
      assertThatThrownBy(() -> latents.toDense(manager))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("take 2621440000 bytes, above the limit of 2 GiB");
    }
  }

  // Editing, against the same edit of the dense rows

  record Dense(int rows, int width, float[] values) {
    SparseLatents sparse() {
      int[] offsets = new int[rows + 1];
      List<Integer> latents = new ArrayList<>();
      List<Float> activations = new ArrayList<>();
      for (int i = 0; i < values.length; i++) {
        if (values[i] != 0) {
          latents.add(i % width);
          activations.add(values[i]);
        }
        offsets[i / width + 1] = latents.size();
      }
      float[] array = new float[activations.size()];
      for (int i = 0; i < array.length; i++) {
        array[i] = activations.get(i);
      }
      return SparseLatents.of(
          offsets, latents.stream().mapToInt(Integer::intValue).toArray(), array, width);
    }

    /** A cell's new value. */
    interface Cell {
      float apply(int latent, float activation);
    }

    Dense map(Cell cell) {
      float[] changed = new float[values.length];
      for (int i = 0; i < changed.length; i++) {
        changed[i] = cell.apply(i % width, values[i]);
      }
      return new Dense(rows, width, changed);
    }
  }

  @Provide
  Arbitrary<Dense> dense() {
    Arbitrary<Float> value =
        Arbitraries.frequencyOf(
            Tuple.of(2, Arbitraries.just(0f)),
            Tuple.of(1, Arbitraries.floats().between(-9f, 9f)),
            Tuple.of(1, Arbitraries.of(1f, 2f, Float.MIN_VALUE, Float.MAX_VALUE)));
    return Combinators.combine(
            Arbitraries.integers().between(1, 6), Arbitraries.integers().between(1, 9))
        .flatAs(
            (rows, width) ->
                value
                    .array(Float[].class)
                    .ofSize(rows * width)
                    .map(
                        boxed -> {
                          float[] values = new float[boxed.length];
                          for (int i = 0; i < values.length; i++) {
                            values[i] = boxed[i];
                          }
                          return new Dense(rows, width, values);
                        }));
  }

  @Property(tries = 300)
  void edits_anyRows_areThoseOfTheDenseRows(
      @ForAll("dense") Dense dense, @ForAll int any, @ForAll float activation) {
    SparseLatents sparse = dense.sparse();
    int latent = Math.floorMod(any, dense.width);
    int half = dense.width / 2;

    assertSame(sparse.zero(latent), dense.map((l, a) -> l == latent ? 0 : a).sparse());
    assertSame(
        sparse.scale(latent, activation),
        dense.map((l, a) -> l == latent ? a * activation : a).sparse());
    assertSame(
        sparse.set(latent, activation), dense.map((l, a) -> l == latent ? activation : a).sparse());
    assertSame(sparse.range(0, half), dense.map((l, a) -> l < half ? a : 0).sparse());
    assertSame(sparse.range(half, dense.width), dense.map((l, a) -> l < half ? 0 : a).sparse());
    int to = 1 + Math.floorMod(any, dense.rows);
    Dense cut =
        new Dense(
            to - to / 2,
            dense.width,
            Arrays.copyOfRange(dense.values, to / 2 * dense.width, to * dense.width));
    assertSame(sparse.rows(to / 2, to), cut.sparse());
  }

  @Property(tries = 100)
  void toDenseAndStrongest_anyRows_areTheDenseRows(@ForAll("dense") Dense dense) {
    SparseLatents sparse = dense.sparse();
    try (NDManager manager = NDManager.newBaseManager(Device.cpu())) {
      NDArray back = sparse.toDense(manager);
      assertThat(back.getShape()).isEqualTo(new Shape(dense.rows, dense.width));
      float[] positiveZero = dense.map((l, a) -> a == 0 ? 0f : a).values;
      assertThat(back.toFloatArray()).isEqualTo(positiveZero);
    }
    for (int row = 0; row < dense.rows; row++) {
      List<ActiveLatent> expected = new ArrayList<>();
      for (int latent = 0; latent < dense.width; latent++) {
        float activation = dense.values[row * dense.width + latent];
        if (activation != 0) {
          expected.add(new ActiveLatent(latent, activation));
        }
      }
      expected.sort((a, b) -> Float.compare(b.activation(), a.activation())); // Stable.
      assertThat(sparse.strongest(row, 3))
          .isEqualTo(expected.subList(0, Math.min(3, expected.size())));
    }
  }

  @Property(tries = 100)
  void saveAndLoad_anyRows_giveThemBack(@ForAll("dense") Dense dense) throws IOException {
    Path file = Files.createTempFile("latents", ".safetensors");
    try {
      dense.sparse().save(file);
      assertSame(SparseLatents.load(file), dense.sparse());
    } finally {
      Files.delete(file);
    }
  }

  // Files

  @Test
  void saveAndLoad_latentsOfAnSae_decodeAsBefore(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("latents.safetensors");
    for (String name : List.of("jumprelu", "normalize-layer-norm", "hook-z")) {
      try (SAE sae = CaseFolder.load(name, LoadOptions.defaults());
          NDManager manager = NDManager.newBaseManager(Device.cpu())) {
        Shape shape = name.equals("hook-z") ? new Shape(2, 3, 2, 4) : new Shape(2, 3, 8);
        NDArray x = manager.randomNormal(shape);
        SparseLatents latents = sae.encodeSparse(x);
        latents.save(file);

        SparseLatents loaded = SparseLatents.load(file);

        assertSame(loaded, latents);
        NDArray decoded = sae.decode(loaded, manager);
        assertThat(decoded.getShape()).isEqualTo(shape);
        assertThat(decoded.toFloatArray()).isEqualTo(sae.decode(latents, manager).toFloatArray());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"format", "format_version", "width", "leading_shape"})
  void load_wrongMetadata_isRefused(String key, @TempDir Path folder) throws IOException {
    Path file = folder.resolve("latents.safetensors");
    SafetensorsWriter.Builder builder =
        SafetensorsWriter.builder()
            .tensor("row_offsets", Dtype.I64, 2)
            .tensor("latents", Dtype.I32, 1)
            .tensor("values", Dtype.F32, 1)
            .metadata("format", "matryoshka-sae/sparse-latents")
            .metadata("format_version", "1")
            .metadata("width", "8")
            .metadata("leading_shape", "[1]")
            .metadata(key, "[4,8]");
    try (SafetensorsWriter writer = builder.create(file)) {
      writer.writeLongs("row_offsets", 0, 1);
      writer.writeInts("latents", 3);
      writer.writeFloats("values", 2f);
      writer.finish();
    }

    assertThatThrownBy(() -> SparseLatents.load(file))
        .isInstanceOf(SaeFormatException.class)
        .hasMessageStartingWith(file.toString())
        .hasMessageContaining("sparse latents file");
  }

  // With an SAE

  @Test
  void decode_editedLatents_addsTheirDirections() throws IOException {
    float[] x = {1, -1, 2, 0.5f, 0, 1, -2, 1, 3, 0, 1, 1, 2, -1, 0, 1};
    try (SAE sae = CaseFolder.load("jumprelu", LoadOptions.defaults())) {
      SparseLatents edited = sae.encodeSparse(x).zero(4).set(9, 2.5f).scale(9, 2f);
      assertThat(edited.activation(1, 9)).isEqualTo(5f);
      float[] rows = sae.decoderRows(0, 24);
      float[] decoded = sae.decode(edited);
      for (int row = 0; row < 2; row++) {
        double[] expected = new double[8];
        for (int d = 0; d < 8; d++) {
          expected[d] = sae.decoderBias()[d];
        }
        edited.forEach(
            row,
            (latent, activation) -> {
              for (int d = 0; d < 8; d++) {
                expected[d] += (double) activation * rows[latent * 8 + d];
              }
            });
        for (int d = 0; d < 8; d++) {
          assertThat((double) decoded[row * 8 + d]).isCloseTo(expected[d], within(1e-5));
        }
      }
    }
  }

  @Test
  void steer_normalisedOrNot_addsTheDirectionInTheModelsSpace() throws IOException {
    for (String name :
        List.of("jumprelu", "normalize-layer-norm", "normalize-constant-norm-rescale")) {
      try (SAE sae = CaseFolder.load(name, LoadOptions.defaults());
          NDManager manager = NDManager.newBaseManager(Device.cpu())) {
        NDArray x = manager.randomNormal(new Shape(3, 8));
        // The same as setting the latent in the edit of forward, where it was not active.
        SparseLatents clean = sae.encodeSparse(x);
        int latent = 0;
        while (clean.reaches(latent) && isActive(clean, latent)) {
          latent++;
        }
        int idle = latent;
        float[] edited = sae.forward(x, f -> f.set(idle, 1.5f)).toFloatArray();
        assertThat(sae.steer(x, idle, 1.5f).toFloatArray()).containsExactly(edited, within(1e-5f));
      }
    }
  }

  private static boolean isActive(SparseLatents latents, int latent) {
    return Arrays.stream(latents.latents()).anyMatch(l -> l == latent);
  }
}
