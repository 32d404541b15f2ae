package io.matryoshka.sae.npy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NpyWriterTest {

  @TempDir private Path folder;

  @Test
  void finish_hasTheBytesOfNumpy() throws Exception {
    Path path = folder.resolve("x.npy");
    try (NpyWriter writer = NpyWriter.create(path, 2, 3)) {
      writer.write(new float[] {9, 0, 1}, 1, 2);
      writer.write(new float[] {2, 3, 100, 127}, 0, 4);
      writer.finish();
    }

    byte[] numpy = NpyWriterTest.class.getResourceAsStream("/npy/float32.npy").readAllBytes();
    assertThat(Files.readAllBytes(path)).isEqualTo(numpy);
  }

  @Test
  void roundTrip_vectorAndScalar_areKept() throws Exception {
    Path path = folder.resolve("x.npy");
    float[] many = new float[40_001]; // several chunks, the last one odd
    for (int i = 0; i < many.length; i++) {
      many[i] = i / 8f;
    }
    try (NpyWriter writer = NpyWriter.create(path, many.length)) {
      writer.write(many, 0, many.length);
      writer.finish();
    }
    try (NpyFile file = NpyFile.open(path)) {
      float[] read = new float[many.length];
      file.readFloats(0, read, 0, read.length);
      assertThat(read).isEqualTo(many);
      assertThat(file.shape()).containsExactly(many.length);
    }
    try (NpyWriter writer = NpyWriter.create(path)) {
      writer.write(many, 8, 1);
      writer.finish();
    }
    try (NpyFile file = NpyFile.open(path)) {
      assertThat(file.elementCount()).isEqualTo(1);
    }
  }

  @Test
  void write_tooMuchOrTooLittle_isRefusedAndLeavesNothing() throws Exception {
    Path path = folder.resolve("x.npy");
    try (NpyWriter writer = NpyWriter.create(path, 2)) {
      assertThatThrownBy(() -> writer.write(new float[3], 0, 3))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(path + ": array of 2 elements has room for 2 more, got 3");
      writer.write(new float[1], 0, 1);
      assertThatThrownBy(writer::finish)
          .isInstanceOf(IllegalStateException.class)
          .hasMessage(path + ": array is incomplete: 1 of 2 elements written");
    }
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).isEmpty();
    }
  }

  @Test
  void create_badShape_isRefused() {
    assertThatThrownBy(() -> NpyWriter.create(folder.resolve("x"), -1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("must not be negative, got [-1]");
    assertThatThrownBy(() -> NpyWriter.create(folder.resolve("x"), 1L << 61, 4))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("overflows 64 bits");
    assertThatThrownBy(() -> NpyWriter.create(folder.resolve("x"), new long[65]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("at most 64 dimensions, got 65");
  }
}
