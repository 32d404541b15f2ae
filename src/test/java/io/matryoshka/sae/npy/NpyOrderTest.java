package io.matryoshka.sae.npy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Column-major arrays, and two-byte elements whose type the header does not tell. */
class NpyOrderTest {

  @TempDir private Path folder;

  private Path write(String descr, boolean fortran, long[] shape, ByteBuffer data)
      throws IOException {
    String dimensions =
        Arrays.stream(shape).mapToObj(d -> d + ", ").collect(Collectors.joining("", "(", ")"));
    String header =
        "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }\n"
            .formatted(descr, fortran ? "True" : "False", dimensions);
    ByteBuffer file = ByteBuffer.allocate(10 + header.length() + data.capacity());
    file.put(NpyFile.MAGIC).put((byte) 1).put((byte) 0);
    file.order(ByteOrder.LITTLE_ENDIAN).putShort((short) header.length());
    file.put(header.getBytes(StandardCharsets.US_ASCII)).put(data.rewind());
    return Files.write(folder.resolve("x.npy"), file.array());
  }

  /** The value of each element is its index in row-major order. */
  private Path fortran(long... shape) throws IOException {
    int count = (int) Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    ByteBuffer data = ByteBuffer.allocate(4 * count).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count; i++) {
      long rest = i;
      long at = 0;
      long stride = count;
      for (int d = shape.length - 1; d >= 0; d--) {
        stride /= shape[d];
        at += rest % shape[d] * stride;
        rest /= shape[d];
      }
      data.putFloat((int) (4 * at), i);
    }
    return write("<f4", true, shape, data);
  }

  @ParameterizedTest
  @ValueSource(strings = {"7", "5 3", "1 4", "4 1", "2 3 4", "3 1 2 5", "300 70 2"})
  void readFloats_columnMajor_comesInRowMajorOrder(String text) throws IOException {
    long[] shape = Arrays.stream(text.split(" ")).mapToLong(Long::parseLong).toArray();
    try (NpyFile file = NpyFile.open(fortran(shape))) {
      int count = (int) file.elementCount();
      float[] all = new float[count];
      file.readFloats(0, all, 0, count);
      for (int i = 0; i < count; i++) {
        assertThat(all[i]).isEqualTo(i);
      }
      float[] part = new float[count + 2];
      file.readFloats(1, part, 2, count - 2);
      for (int i = 1; i < count - 1; i++) {
        assertThat(part[i + 1]).isEqualTo(i);
      }
      assertThat(part[1]).isZero();
      assertThat(part[count]).isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"|V2", "<u2", "<i2", "<f2"})
  void open_asBfloat16_readsTheBits(String descr) throws IOException {
    ByteBuffer data = ByteBuffer.allocate(6).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : new float[] {1.5f, -2, 1e38f}) {
      data.putShort((short) (Float.floatToIntBits(value) >>> 16));
    }
    Path path = write(descr, false, new long[] {3}, data);
    try (NpyFile file = NpyFile.open(path, HalfType.BFLOAT16)) {
      float[] values = new float[3];
      file.readFloats(0, values, 0, 3);
      assertThat(values[0]).isEqualTo(1.5f);
      assertThat(values[1]).isEqualTo(-2);
      assertThat(values[2]).isBetween(0.99e38f, 1e38f);
    }
  }

  @Test
  void open_asFloat16_readsTheBits() throws IOException {
    ByteBuffer data =
        ByteBuffer.allocate(2).order(ByteOrder.LITTLE_ENDIAN).putShort((short) 0x3e00);
    try (NpyFile file = NpyFile.open(write("<u2", false, new long[] {1}, data), HalfType.FLOAT16)) {
      float[] values = new float[1];
      file.readFloats(0, values, 0, 1);
      assertThat(values[0]).isEqualTo(1.5f);
    }
  }

  @Test
  void open_fourBytesAsBfloat16_isRefused() throws IOException {
    Path path = write("<f4", false, new long[] {1}, ByteBuffer.allocate(4));
    assertThatThrownBy(() -> NpyFile.open(path, HalfType.BFLOAT16))
        .isInstanceOf(NpyException.class)
        .hasMessageContaining("expected two bytes each to read as bfloat16");
  }

  @Test
  void readFloats_twoBytesWithoutType_isRefused() throws IOException {
    try (NpyFile file = NpyFile.open(write("|V2", false, new long[] {1}, ByteBuffer.allocate(2)))) {
      assertThatThrownBy(() -> file.readFloats(0, new float[1], 0, 1))
          .isInstanceOf(NpyException.class)
          .hasMessageContaining("bfloat16");
    }
  }

  @Test
  void open_foreignFile_isNamed() throws IOException {
    Path path = folder.resolve("x.npy");
    Files.writeString(path, "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n");
    assertThatThrownBy(() -> NpyFile.open(path))
        .isInstanceOf(NpyException.class)
        .hasMessage(
            path
                + ": is not a .npy file: it is a Git LFS pointer, not the file itself;"
                + " run 'git lfs pull' in the clone, or download the file from the Hub");
  }
}
