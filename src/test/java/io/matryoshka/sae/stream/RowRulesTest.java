package io.matryoshka.sae.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.Selection;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.npy.NpyWriter;
import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.safetensors.SafetensorsWriter;
import io.matryoshka.sae.support.HandSae;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** One rule for masked rows and for rows that cannot be encoded. */
class RowRulesTest {

  private static final float NAN = Float.NaN;
  private static final float INF = Float.POSITIVE_INFINITY;
  private static final float[][] AXES = {{1, 0}, {0, 1}};

  @TempDir private Path folder;

  private SAE sae(String normalise) throws IOException {
    return HandSae.load(folder.resolve(normalise), List.of(2), normalise, AXES);
  }

  private ActivationSource source(float... values) throws IOException {
    return ActivationSource.open(List.of(npy("x.npy", values, values.length / 2, 2)));
  }

  private Path npy(String name, float[] values, long... shape) throws IOException {
    Path file = folder.resolve(name);
    try (NpyWriter writer = NpyWriter.create(file, shape)) {
      writer.write(values, 0, values.length);
      writer.finish();
    }
    return file;
  }

  private RowMask mask(float... values) throws IOException {
    return RowMask.open(npy("m.npy", values, values.length), Optional.empty());
  }

  private SparseLatents encode(SAE sae, ActivationSource source, EncodeOptions options)
      throws IOException {
    Path file = folder.resolve("out.safetensors");
    EncodeRun.toFile(sae, source, file, options);
    return SparseLatents.load(file);
  }

  // ---- rows that are not finite ---------------------------------------------------------------

  @ParameterizedTest
  @ValueSource(floats = {NAN, INF, -INF})
  void encode_rowNotFinite_stopsAndNamesIt(float bad) throws IOException {
    ActivationSource source = source(1, 2, 3, bad, 5, 6);
    try (SAE sae = sae("none")) {
      assertThatThrownBy(() -> encode(sae, source, EncodeOptions.defaults()))
          .isInstanceOf(ActivationException.class)
          .hasMessageContainingAll("x.npy, row 1 (row 1 of all)", "NaN or an infinity");
      EncodeOptions skip = EncodeOptions.defaults().rows(RowRules.all().skipNonFinite(true));
      SparseLatents latents = encode(sae, source, skip);
      assertThat(latents.rowOffsets()).containsExactly(0, 2, 2, 4);
      assertThat(latents.activations()).containsExactly(1, 2, 5, 6);
    }
  }

  @Test
  void encode_zeroRowDividedByItsNorm_isOneThatIsNotFinite() throws IOException {
    ActivationSource source = source(3, 4, 0, 0, 4, 3);
    try (SAE sae = sae("constant_norm_rescale")) {
      assertThatThrownBy(() -> encode(sae, source, EncodeOptions.defaults()))
          .isInstanceOf(ActivationException.class)
          .hasMessageContainingAll("row 1", "all zeros", "constant_norm_rescale");
      EncodeOptions skip = EncodeOptions.defaults().rows(RowRules.all().skipNonFinite(true));
      EncodeResult result = EncodeRun.toFile(sae, source, folder.resolve("o.safetensors"), skip);
      assertThat(result.nonFiniteRows()).isEqualTo(1);
      assertThat(result.meanL0()).isEqualTo(2);
      SparseLatents latents = SparseLatents.load(folder.resolve("o.safetensors"));
      assertThat(latents.rowOffsets()).containsExactly(0, 2, 2, 4);
      assertThat(sae.decode(latents.rows(0, 1))[0]).isCloseTo(3, within(1e-5f));
    }
  }

  @Test
  void encode_zeroRowOfOtherSaes_isARowLikeAnyOther() throws IOException {
    try (SAE sae = sae("none")) {
      assertThat(encode(sae, source(0, 0, 1, 0), EncodeOptions.defaults()).rowOffsets())
          .containsExactly(0, 0, 1);
    }
  }

  @Test
  void encode_batchTopK_doesNotCountRowsLeftOut() throws IOException {
    ActivationSource source = source(1, 9, NAN, 8, 7, 2);
    try (SAE sae = sae("none")) {
      EncodeOptions options =
          EncodeOptions.defaults()
              .selection(Selection.batchTopK(1))
              .rows(RowRules.all().skipNonFinite(true));
      SparseLatents latents = encode(sae, source, options);
      assertThat(latents.activations()).containsExactly(9, 7);
    }
  }

  @Test
  void latents_thatBroke_areToldApart() {
    SparseLatents latents =
        SparseLatents.of(new int[] {0, 1, 2}, new int[] {0, 1}, new float[] {1, INF}, 2);
    assertThat(RowFaults.after(latents, 0)).isEmpty();
    assertThat(RowFaults.after(latents, 1)).isPresent();
  }

  // ---- masks ----------------------------------------------------------------------------------

  @Test
  void encode_maskedRow_isEmptyAndMayHoldAnything() throws IOException {
    ActivationSource source = source(1, 2, NAN, NAN, 5, 6);
    try (SAE sae = sae("none")) {
      EncodeOptions options = EncodeOptions.defaults().rows(RowRules.all().mask(mask(1, 0, 1)));
      EncodeResult result =
          EncodeRun.toFolder(sae, source, folder.resolve("run"), options.rowsPerShard(2));
      assertThat(result.maskedRows()).isEqualTo(1);
      assertThat(result.nonFiniteRows()).isZero();
      assertThat(result.meanL0()).isEqualTo(2);
      assertThat(encode(sae, source, options).rowOffsets()).containsExactly(0, 2, 2, 4);
      EncodeOptions other = EncodeOptions.defaults().rows(RowRules.all().mask(mask(1, 0, 0)));
      assertThatThrownBy(
              () -> EncodeRun.toFolder(sae, source, folder.resolve("run"), other.rowsPerShard(2)))
          .isInstanceOf(EncodeRunException.class)
          .hasMessageContaining("mask");
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Dtype.class,
      names = {"BOOL", "U8", "I8", "I32", "I64", "U64", "F16", "BF16", "F32", "F64"})
  void mask_safetensors_meansTheSameInEveryType(Dtype dtype) throws IOException {
    int size = dtype.bits() / 8;
    ByteBuffer bytes = ByteBuffer.allocate(3 * size).order(ByteOrder.LITTLE_ENDIAN);
    byte[] one =
        switch (dtype) {
          case F16 -> new byte[] {0, 0x3c};
          case BF16 -> new byte[] {(byte) 0x80, 0x3f};
          case F32 -> new byte[] {0, 0, (byte) 0x80, 0x3f};
          case F64 -> new byte[] {0, 0, 0, 0, 0, 0, (byte) 0xf0, 0x3f};
          default -> new byte[] {1};
        };
    bytes.put(0, one).put(2 * size, one);
    Path file = folder.resolve("m.safetensors");
    try (SafetensorsWriter writer =
        SafetensorsWriter.builder().tensor("mask", dtype, 3).create(file)) {
      writer.write("mask", bytes);
      writer.finish();
    }
    RowMask mask = RowMask.open(file, Optional.empty());
    assertThat(mask.read(0, 3)).containsExactly(true, false, true);
    assertThat(mask.countKept()).isEqualTo(2);
  }

  @ParameterizedTest
  @ValueSource(floats = {NAN, INF, -1, -INF})
  void mask_otherNumbers_areRefused(float bad) throws IOException {
    RowMask mask = mask(1, bad);
    assertThatThrownBy(() -> mask.read(0, 2))
        .isInstanceOf(ActivationException.class)
        .hasMessageContainingAll("m.npy", "element 1", "expected 0");
  }

  @Test
  void mask_amongSeveralTensors_mustBeNamed() throws IOException {
    Path file = folder.resolve("masks.safetensors");
    try (SafetensorsWriter writer =
        SafetensorsWriter.builder()
            .tensor("a", Dtype.U8, 2)
            .tensor("b", Dtype.U8, 2)
            .create(file)) {
      writer.write("a", ByteBuffer.wrap(new byte[] {1, 0}));
      writer.write("b", ByteBuffer.wrap(new byte[] {0, 1}));
      writer.finish();
    }
    assertThatThrownBy(() -> RowMask.open(file, Optional.empty()))
        .isInstanceOf(ActivationException.class)
        .hasMessageContaining("[a, b]")
        .hasMessageContaining("--mask-tensor");
    assertThat(RowMask.open(file, Optional.of("b")).read(0, 2)).containsExactly(false, true);
    assertThatThrownBy(() -> RowMask.open(file, Optional.of("c")))
        .hasMessageContaining("\"c\"")
        .hasMessageContaining("[a, b]");
  }

  @Test
  void mask_ofOtherLengthOrOfNothing_isRefused() throws IOException {
    ActivationSource source = source(1, 2, 3, 4);
    RowRules longer = RowRules.all().mask(mask(1, 1, 1));
    assertThatThrownBy(() -> longer.requireFits(source))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("expected 2, got 3");
    RowRules nothing = RowRules.all().mask(mask(0, 0));
    assertThatThrownBy(() -> nothing.requireFits(source))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("leaves out all 2 rows");
  }
}
