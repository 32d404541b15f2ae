package io.matryoshka.sae.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.ReadOnlyBufferException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class SafetensorsFileTest {

  @TempDir private Path folder;

  // ---- open -----------------------------------------------------------------------------------

  @Test
  void open_missingFile_isNoSuchFile() {
    assertThatThrownBy(() -> SafetensorsFile.open(folder.resolve("none")))
        .isInstanceOf(NoSuchFileException.class);
  }

  @Test
  void open_directory_isRefused() {
    assertThatThrownBy(() -> SafetensorsFile.open(folder))
        .isInstanceOf(SafetensorsException.class)
        .hasMessage(folder + ": is a directory, expected a safetensors file");
  }

  @Test
  void open_headerLengthBeyondFile_isRefusedWithoutAllocatingIt() throws Exception {
    Path path = folder.resolve("short.safetensors");
    Files.write(path, new byte[] {0, (byte) 0xe1, (byte) 0xf5, 5, 0, 0, 0, 0, '{', '}'});

    assertThatThrownBy(() -> SafetensorsFile.open(path))
        .isInstanceOf(SafetensorsException.class)
        .hasMessageContaining("header is said to end at byte 100000008, but the file has 10 bytes");
  }

  // ---- map, read ------------------------------------------------------------------------------

  @Test
  void map_isReadOnlyDirectLittleEndian() throws Exception {
    try (SafetensorsFile file = floats(1, 2, 3)) {
      ByteBuffer mapped = file.map("t");

      assertThat(mapped.isDirect()).isTrue();
      assertThat(mapped.order()).isEqualTo(ByteOrder.LITTLE_ENDIAN);
      assertThat(mapped.remaining()).isEqualTo(12);
      assertThat(mapped.asFloatBuffer().get(2)).isEqualTo(3);
      assertThatThrownBy(() -> mapped.put(0, (byte) 1)).isInstanceOf(ReadOnlyBufferException.class);
    }
  }

  @Test
  void map_part_isThatPart() throws Exception {
    try (SafetensorsFile file = floats(1, 2, 3)) {
      ByteBuffer part = file.map("t", 4, 8);

      assertThat(part.remaining()).isEqualTo(8);
      assertThat(part.getFloat()).isEqualTo(2);
      assertThat(file.map("t", 12, 0).remaining()).isZero();
    }
  }

  @Test
  void mapped_afterClose_staysValid() throws Exception {
    SafetensorsFile file = floats(1, 2, 3);
    ByteBuffer mapped = file.map("t");
    file.close();

    assertThat(mapped.getFloat(8)).isEqualTo(3);
  }

  @ParameterizedTest
  @CsvSource({"-1,1", "0,13", "12,1", "13,0", "0,-1", "9223372036854775807,1"})
  void map_outsideTheTensor_isRefused(long offset, long length) throws Exception {
    try (SafetensorsFile file = floats(1, 2, 3)) {
      assertThatThrownBy(() -> file.map("t", offset, length))
          .isInstanceOf(IndexOutOfBoundsException.class)
          .hasMessageContaining(
              "tensor \"t\" has 12 bytes, got a range from byte "
                  + offset
                  + " of length "
                  + length);
    }
  }

  @Test
  void read_fillsTheBuffer() throws Exception {
    try (SafetensorsFile file = floats(1, 2, 3)) {
      ByteBuffer target = ByteBuffer.allocate(10).order(ByteOrder.LITTLE_ENDIAN).position(2);
      file.read("t", 4, target);

      assertThat(target.hasRemaining()).isFalse();
      assertThat(target.getFloat(2)).isEqualTo(2);
      assertThat(target.getFloat(6)).isEqualTo(3);
      assertThatThrownBy(() -> file.read("t", 4, ByteBuffer.allocate(9)))
          .isInstanceOf(IndexOutOfBoundsException.class);
    }
  }

  @Test
  void read_fileShortenedAfterOpen_isRefused() throws Exception {
    try (SafetensorsFile file = floats(1, 2, 3)) {
      try (FileChannel channel = FileChannel.open(file.path(), StandardOpenOption.WRITE)) {
        channel.truncate(file.dataOffset() + 4);
      }
      assertThatThrownBy(() -> file.readFloats("t"))
          .isInstanceOf(SafetensorsException.class)
          .hasMessageContaining("the file has become shorter than");
      assertThatThrownBy(() -> file.map("t"))
          .isInstanceOf(SafetensorsException.class)
          .hasMessageContaining("the file has become shorter than");
    }
  }

  @Test
  void fileSize_isHeaderAndBody() throws Exception {
    try (SafetensorsFile file = floats(1, 2, 3)) {
      assertThat(file.fileSize()).isEqualTo(Files.size(file.path()));
      assertThat(file.dataOffset()).isEqualTo(file.fileSize() - 12);
      assertThat(file.header().tensors()).isEqualTo(file.tensors());
      assertThat(file.find("u")).isEmpty();
      assertThat(file.metadata()).isEmpty();
    }
  }

  // ---- close ----------------------------------------------------------------------------------

  @Test
  void close_twice_isHarmlessAndUseAfterwardsIsRefused() throws Exception {
    SafetensorsFile file = floats(1, 2, 3);
    file.close();
    file.close();

    for (ThrowingUse use :
        new ThrowingUse[] {
          () -> file.map("t"),
          () -> file.read("t", 0, ByteBuffer.allocate(1)),
          () -> file.readFloats("t"),
          () -> file.readFloats("t", 0, new float[1]),
          () -> file.readDoubles("t")
        }) {
      assertThatThrownBy(use::run)
          .isInstanceOf(IllegalStateException.class)
          .hasMessage(file.path() + " is closed");
    }
    assertThat(file.names()).containsExactly("t");
  }

  // ---- readFloats and kin ---------------------------------------------------------------------

  @Test
  void readFloats_part_startsAtTheElement() throws Exception {
    try (SafetensorsFile file = floats(1, 2, 3)) {
      float[] target = new float[4];
      file.readFloats("t", 1, target, 1, 2);

      assertThat(target).containsExactly(0, 2, 3, 0);
      assertThatThrownBy(() -> file.readFloats("t", 2, new float[2]))
          .isInstanceOf(IndexOutOfBoundsException.class)
          .hasMessageContaining("has 3 elements, got a range from element 2 of length 2");
      assertThatThrownBy(() -> file.readFloats("t", 0, target, 3, 2))
          .isInstanceOf(IndexOutOfBoundsException.class);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"F16", "BF16"})
  void readFloats_everySixteenBitCode_isExact(Dtype dtype) throws Exception {
    ByteBuffer codes = ByteBuffer.allocate(2 << 16).order(ByteOrder.LITTLE_ENDIAN);
    for (int code = 0; code < 1 << 16; code++) {
      codes.putShort((short) code);
    }
    try (SafetensorsFile file = write(dtype, codes.flip(), 1 << 16)) {
      float[] floats = file.readFloats("t");
      double[] doubles = file.readDoubles("t");

      for (int code = 0; code < 1 << 16; code++) {
        double expected = dtype == Dtype.F16 ? valueOf(code, 5, 10) : valueOf(code, 8, 7);
        assertSame(code, floats[code], expected);
        assertSame(code, doubles[code], expected);
      }
    }
  }

  @Test
  void readFloats_everyEightBitCode_isExact() throws Exception {
    byte[] codes = new byte[256];
    for (int i = 0; i < codes.length; i++) {
      codes[i] = (byte) i;
    }
    try (SafetensorsFile file = write(Dtype.F8_E5M2, ByteBuffer.wrap(codes), 256)) {
      float[] floats = file.readFloats("t");
      for (int code = 0; code < 256; code++) {
        assertSame(code, floats[code], valueOf(code << 8, 5, 10));
      }
    }
    try (SafetensorsFile file = write(Dtype.F8_E8M0, ByteBuffer.wrap(codes), 256)) {
      float[] floats = file.readFloats("t");
      for (int code = 0; code < 255; code++) {
        assertSame(code, floats[code], Math.pow(2, code - 127));
      }
      assertThat(floats[255]).isNaN();
    }
    try (SafetensorsFile file = write(Dtype.F8_E4M3, ByteBuffer.wrap(codes), 256)) {
      float[] floats = file.readFloats("t");
      for (int code = 0; code < 0x78; code++) { // below the codes that IEEE 754 gives to infinity
        assertSame(code, floats[code], valueOf(code << 4, 4, 7, 12));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "F64, float, use readDoubles",
    "I32, float, use readLongs",
    "U64, float, use readLongs",
    "C64, float, use map or read for its bytes",
    "F4, float, use map or read for its bytes"
  })
  void readFloats_inexactDtype_isRefusedWithAdvice(Dtype dtype, String type, String advice)
      throws Exception {
    try (SafetensorsFile file = write(dtype, ByteBuffer.allocate(dtype.bits() / 4), 2)) {
      assertThatThrownBy(() -> file.readFloats("t"))
          .isInstanceOf(SafetensorsException.class)
          .hasMessageEndingWith(
              "tensor \"t\" is %s, which a Java %s does not hold exactly; %s", dtype, type, advice);
    }
  }

  @Test
  void readInts_floatingPoint_isRefused() throws Exception {
    try (SafetensorsFile file = floats(1)) {
      assertThatThrownBy(() -> file.readInts("t"))
          .isInstanceOf(SafetensorsException.class)
          .hasMessageContaining("is F32, which a Java int does not hold exactly; use readDoubles");
      assertThatThrownBy(() -> file.readLongs("t")).isInstanceOf(SafetensorsException.class);
    }
  }

  @Test
  void readMany_acrossChunks_isInOrder() throws Exception {
    int count = 100_003; // several chunks and blocks, the last ones odd
    ByteBuffer bytes = ByteBuffer.allocate(count * 2).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count; i++) {
      bytes.putShort((short) i);
    }
    try (SafetensorsFile file = write(Dtype.U16, bytes.flip(), count)) {
      float[] floats = file.readFloats("t");
      double[] doubles = file.readDoubles("t");
      int[] ints = file.readInts("t");
      long[] longs = file.readLongs("t");
      for (int i = 0; i < count; i++) {
        int expected = i & 0xffff;
        assertThat(floats[i] == expected && doubles[i] == expected).as("element %d", i).isTrue();
        assertThat(ints[i] == expected && longs[i] == expected).as("element %d", i).isTrue();
      }
    }
  }

  // ---- helpers --------------------------------------------------------------------------------

  /** Tells zeros by their sign, and takes any NaN for NaN. */
  private static void assertSame(int code, double actual, double expected) {
    assertThat(Double.doubleToLongBits(actual))
        .as("code %x: %s, expected %s", code, actual, expected)
        .isEqualTo(Double.doubleToLongBits(expected));
  }

  /** The value of an IEEE 754 code from its definition. */
  private static double valueOf(int code, int exponentBits, int mantissaBits) {
    return valueOf(code, exponentBits, mantissaBits, exponentBits + mantissaBits);
  }

  private static double valueOf(int code, int exponentBits, int mantissaBits, int signBit) {
    int exponent = code >> mantissaBits & (1 << exponentBits) - 1;
    double fraction = (code & (1 << mantissaBits) - 1) / (double) (1 << mantissaBits);
    int bias = (1 << exponentBits - 1) - 1;
    double sign = (code >> signBit & 1) == 0 ? 1 : -1;
    if (exponent == (1 << exponentBits) - 1) {
      return fraction == 0 ? sign * Double.POSITIVE_INFINITY : Double.NaN;
    }
    return exponent == 0
        ? sign * fraction * Math.pow(2, 1 - bias)
        : sign * (1 + fraction) * Math.pow(2, exponent - bias);
  }

  private SafetensorsFile floats(float... values) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return write(Dtype.F32, bytes, values.length);
  }

  private SafetensorsFile write(Dtype dtype, ByteBuffer bytes, long... shape) throws IOException {
    Path path = folder.resolve(dtype + ".safetensors");
    try (SafetensorsWriter writer =
        SafetensorsWriter.builder().tensor("t", dtype, shape).create(path)) {
      writer.write("t", bytes.duplicate());
      writer.finish();
    }
    return SafetensorsFile.open(path);
  }

  @FunctionalInterface
  private interface ThrowingUse {
    void run() throws IOException;
  }
}
