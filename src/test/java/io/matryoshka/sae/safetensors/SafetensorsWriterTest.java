package io.matryoshka.sae.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SafetensorsWriterTest {

  @TempDir private Path folder;

  // ---- what is written ------------------------------------------------------------------------

  @Test
  void finish_oneTensor_hasTheBytesOfTheReference() throws Exception {
    Path path = folder.resolve("reference.safetensors");
    try (SafetensorsWriter writer =
        SafetensorsWriter.builder().tensor("attn0", Dtype.F32, 1, 1, 2, 3).create(path)) {
      writer.writeFloats("attn0", 0, 1, 2, 3, 4, 5);
      writer.finish();
    }

    String header =
        "{\"attn0\":{\"dtype\":\"F32\",\"shape\":[1,1,2,3],\"data_offsets\":[0,24]}}       ";
    byte[] bytes = Files.readAllBytes(path);
    assertThat(bytes).hasSize(8 + 72 + 24).startsWith(72, 0, 0, 0, 0, 0, 0, 0);
    assertThat(new String(bytes, 8, 72, StandardCharsets.UTF_8)).isEqualTo(header);
    assertThat(Arrays.copyOfRange(bytes, 80, 92))
        .containsExactly(0, 0, 0, 0, 0, 0, 0x80, 0x3f, 0, 0, 0, 0x40);
  }

  @Test
  void finish_noTensors_hasTheBytesOfTheReference() throws Exception {
    Path path = folder.resolve("empty.safetensors");
    try (SafetensorsWriter writer =
        SafetensorsWriter.builder().metadata("framework", "pt").create(path)) {
      writer.finish();
    }

    assertThat(new String(Files.readAllBytes(path), 8, 40, StandardCharsets.UTF_8))
        .isEqualTo("{\"__metadata__\":{\"framework\":\"pt\"}}     ");
  }

  @Test
  void tensors_areOrderedByDescendingDtypeThenByUtf8Name() throws Exception {
    String supplementary = "\ud83d\ude00"; // after U+FFFD in UTF-8, before it in UTF-16
    try (SafetensorsWriter writer =
        SafetensorsWriter.builder()
            .tensor("a", Dtype.U8, 1)
            .tensor(supplementary, Dtype.F32, 0)
            .tensor("\ufffd", Dtype.F32, 1)
            .tensor("z", Dtype.U64)
            .create(folder.resolve("x"))) {
      assertThat(writer.tensors())
          .containsExactly(
              new TensorInfo("z", Dtype.U64, new long[0], 0, 8),
              new TensorInfo("\ufffd", Dtype.F32, new long[] {1}, 8, 12),
              new TensorInfo(supplementary, Dtype.F32, new long[] {0}, 12, 12),
              new TensorInfo("a", Dtype.U8, new long[] {1}, 12, 13));
    }
  }

  @ParameterizedTest
  @EnumSource
  void roundTrip_everyDtype_keepsTheBytes(Dtype dtype) throws Exception {
    Path path = folder.resolve("t.safetensors");
    byte[] bytes = new byte[12 * dtype.bits() / 8];
    new Random(dtype.bits()).nextBytes(bytes);
    try (SafetensorsWriter writer =
        SafetensorsWriter.builder().tensor("t", dtype, 3, 4).create(path)) {
      for (byte b : bytes) {
        writer.write("t", ByteBuffer.wrap(new byte[] {b}));
      }
      writer.finish();
    }

    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      assertThat(file.info("t").dtype()).isEqualTo(dtype);
      assertThat(file.info("t").shape()).containsExactly(3, 4);
      assertThat(file.map("t")).isEqualTo(ByteBuffer.wrap(bytes));
    }
  }

  @Test
  void roundTrip_oddNamesAndMetadata_areKept() throws Exception {
    Path path = folder.resolve("names.safetensors");
    String odd = "\u0000\"\\/\n\u007f\u2028é\ud83d\ude00../..";
    try (SafetensorsWriter writer =
        SafetensorsWriter.builder()
            .tensor(odd, Dtype.BOOL)
            .tensor("", Dtype.BOOL)
            .metadata(odd, odd)
            .create(path)) {
      writer.write("", ByteBuffer.wrap(new byte[] {1}));
      writer.write(odd, ByteBuffer.wrap(new byte[] {0}));
      writer.finish();
    }

    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      assertThat(file.names()).containsExactlyInAnyOrder("", odd);
      assertThat(file.metadata()).containsOnlyKeys(odd).containsValue(odd);
      assertThat(file.readInts("")).containsExactly(1);
    }
  }

  @Test
  void roundTrip_typedValuesInTurns_areKept() throws Exception {
    Path path = folder.resolve("typed.safetensors");
    float[] many = new float[70_001]; // several chunks, the last one odd
    for (int i = 0; i < many.length; i++) {
      many[i] = i;
    }
    try (SafetensorsWriter writer =
        SafetensorsWriter.builder()
            .tensor("f", Dtype.F32, many.length)
            .tensor("d", Dtype.F64, 2)
            .tensor("i", Dtype.I32, 2)
            .tensor("u", Dtype.U32, 1)
            .tensor("l", Dtype.I64, 2)
            .create(path)) {
      writer.writeFloats("f", many, 0, 1);
      writer.writeDoubles("d", 0.1);
      writer.writeInts("i", -1, Integer.MIN_VALUE);
      writer.writeInts("u", -1);
      writer.writeFloats("f", many, 1, many.length - 1);
      writer.writeLongs("l", Long.MIN_VALUE, 7);
      writer.writeDoubles("d", -0.0);
      writer.finish();
    }

    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      assertThat(file.readFloats("f")).isEqualTo(many);
      assertThat(file.readDoubles("d")).containsExactly(0.1, -0.0);
      assertThat(file.readInts("i")).containsExactly(-1, Integer.MIN_VALUE);
      assertThat(file.readDoubles("i")).containsExactly(-1, Integer.MIN_VALUE);
      assertThat(file.readLongs("u")).containsExactly(4294967295L);
      assertThat(file.readDoubles("u")).containsExactly(4294967295.0);
      assertThat(file.readLongs("l")).containsExactly(Long.MIN_VALUE, 7);
    }
  }

  // ---- what is refused ------------------------------------------------------------------------

  @Test
  void write_beyondTheTensor_isRefusedAndNothingIsWritten() throws Exception {
    Path path = folder.resolve("t.safetensors");
    try (SafetensorsWriter writer =
        SafetensorsWriter.builder().tensor("t", Dtype.F32, 2).create(path)) {
      writer.writeFloats("t", 1);
      assertThatThrownBy(() -> writer.writeFloats("t", 2, 3))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(path + ": tensor \"t\" of 8 bytes has room for 4 more, got 8");
      writer.writeFloats("t", 2);
      writer.finish();
    }
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      assertThat(file.readFloats("t")).containsExactly(1, 2);
    }
  }

  @Test
  void finish_incomplete_isRefusedAndLeavesNothing() throws Exception {
    Path path = folder.resolve("t.safetensors");
    try (SafetensorsWriter writer =
        SafetensorsWriter.builder().tensor("t", Dtype.F32, 2).create(path)) {
      writer.writeFloats("t", 1);
      assertThatThrownBy(writer::finish)
          .isInstanceOf(IllegalStateException.class)
          .hasMessage(path + ": tensor \"t\" is incomplete: 4 of 8 bytes written");
    }
    assertThat(listing()).isEmpty();
  }

  @Test
  void close_withoutFinish_keepsTheOldFileAndLeavesNothingElse() throws Exception {
    Path path = folder.resolve("t.safetensors");
    Files.writeString(path, "old");
    SafetensorsWriter writer = SafetensorsWriter.builder().tensor("t", Dtype.U8, 1).create(path);
    writer.write("t", ByteBuffer.allocate(1));
    writer.close();
    writer.close();

    assertThat(listing()).containsExactly(path);
    assertThat(path).hasContent("old");
    assertThatThrownBy(() -> writer.write("t", ByteBuffer.allocate(0)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage(path + " is closed");
  }

  @Test
  void finish_replacesTheOldFileAndEndsWriting() throws Exception {
    Path path = folder.resolve("t.safetensors");
    Files.writeString(path, "old");
    try (SafetensorsWriter writer = SafetensorsWriter.builder().create(path)) {
      writer.finish();
      assertThatThrownBy(writer::finish)
          .isInstanceOf(IllegalStateException.class)
          .hasMessage(path + " is finished");
    }
    assertThat(listing()).containsExactly(path);
    assertThat(Files.readAllBytes(path)).hasSize(16);
  }

  @Test
  void create_inMissingFolder_isAnIoException() {
    assertThatThrownBy(
            () -> SafetensorsWriter.builder().create(folder.resolve("none").resolve("x")))
        .isInstanceOf(NoSuchFileException.class);
  }

  @Test
  void write_unknownNameOrWrongType_isRefused() throws Exception {
    try (SafetensorsWriter writer =
        SafetensorsWriter.builder().tensor("t", Dtype.F16, 2).create(folder.resolve("x"))) {
      assertThatThrownBy(() -> writer.writeFloats("t", 1))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("tensor \"t\" is F16, but the values are for [F32]");
      assertThatThrownBy(() -> writer.writeInts("u", 1))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("no tensor \"u\" was declared; declared are [t]");
    }
  }

  @Test
  void tensor_badDeclaration_isRefused() {
    SafetensorsWriter.Builder builder = SafetensorsWriter.builder().tensor("t", Dtype.F32);

    assertRefused(() -> builder.tensor("t", Dtype.U8), "tensor \"t\" is declared twice");
    assertRefused(() -> builder.tensor("__metadata__", Dtype.U8), "cannot be named __metadata__");
    assertRefused(() -> builder.tensor("n", Dtype.U8, -1, -2), "not be negative, got [-1, -2]");
    assertRefused(() -> builder.tensor("o", Dtype.F4, 3), "12 bits, which is not a whole number");
    assertRefused(() -> builder.tensor("v", Dtype.U8, 1L << 62, 4), "overflows 64 bits");
    assertRefused(() -> builder.tensor("\ud800", Dtype.U8), "lone surrogates");
    assertRefused(() -> builder.metadata("k", "\udc00"), "lone surrogates");
  }

  private static void assertRefused(Runnable declaration, String message) {
    assertThatThrownBy(declaration::run)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }

  private Stream<Path> listing() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList().stream();
    }
  }
}
