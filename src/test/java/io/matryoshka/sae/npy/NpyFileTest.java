package io.matryoshka.sae.npy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NpyFileTest {

  @TempDir private Path folder;

  // ---- what NumPy wrote -----------------------------------------------------------------------

  @ParameterizedTest
  @ValueSource(strings = {"le-f2", "be-f2", "le-f4", "be-f4", "le-f8", "be-f8"})
  void readFloats_floatingPoint_areTheValues(String name) throws Exception {
    assertThat(read(name))
        .containsExactly(0f, -1.5f, 2.25f, -0f, Float.POSITIVE_INFINITY, Float.NaN);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "i1",
        "u1",
        "le-i2",
        "be-i2",
        "le-u2",
        "le-i4",
        "be-i4",
        "le-u4",
        "le-i8",
        "be-i8",
        "le-u8",
        "version-2",
        "version-3"
      })
  void readFloats_numbers_areTheValues(String name) throws Exception {
    assertThat(read(name)).containsExactly(0, 1, 2, 3, 100, 127);
  }

  @Test
  void readFloats_booleans_areZeroAndOne() throws Exception {
    assertThat(read("b1")).containsExactly(0, 1, 1, 1, 1, 1);
  }

  @Test
  void readFloats_unsignedBeyondLong_isRoundedToNearest() throws Exception {
    assertThat(read("largest")).containsExactly(0x1p64f, 0x1p63f, 0x1p40f);
  }

  @Test
  void open_knowsShapeAndType() throws Exception {
    try (NpyFile file = NpyFile.open(resource("be-f8"))) {
      assertThat(file.shape()).containsExactly(2, 3);
      assertThat(file.descr()).isEqualTo(">f8");
      assertThat(file.elementCount()).isEqualTo(6);
    }
    try (NpyFile file = NpyFile.open(resource("scalar"))) {
      assertThat(file.shape()).isEmpty();
    }
    assertThat(read("scalar")).containsExactly(7);
    assertThat(read("vector")).containsExactly(1, 2);
    assertThat(read("empty")).isEmpty();
  }

  @Test
  void readFloats_part_startsAtTheElement() throws Exception {
    try (NpyFile file = NpyFile.open(resource("le-i4"))) {
      float[] target = new float[4];
      file.readFloats(3, target, 1, 2);

      assertThat(target).containsExactly(0, 3, 100, 0);
      assertThatThrownBy(() -> file.readFloats(5, target, 0, 2))
          .isInstanceOf(IndexOutOfBoundsException.class)
          .hasMessageContaining("has 6 elements, got a range from 5 of length 2");
    }
  }

  @Test
  void readFloats_closed_isRefused() throws Exception {
    NpyFile file = NpyFile.open(resource("le-f4"));
    file.close();
    file.close();

    assertThatThrownBy(() -> file.readFloats(0, new float[1], 0, 1))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageEndingWith("le-f4.npy is closed");
  }

  // ---- what is refused ------------------------------------------------------------------------

  @ParameterizedTest
  @CsvSource({
    "object, dtype '|O' is not read",
    "complex, dtype '<c8' is not read",
    "string, dtype '<U2' is not read",
    "record, arrays of records are not read"
  })
  void open_unreadArray_isRefusedWithAdvice(String name, String message) throws Exception {
    Path path = resource(name);
    assertThatThrownBy(() -> NpyFile.open(path))
        .isInstanceOf(NpyException.class)
        .hasMessageStartingWith(path + ": ")
        .hasMessageContaining(message)
        .hasMessageContaining("np.save(path, np.ascontiguousarray(a, '<f4'))");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}; takes 12 bytes, but 8 follow the"
            + " header; the file is truncated",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}; longer than its one array",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}; overflows",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}; must hold integers from 0",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}; from 0 to",
        "{'descr': '<f4', 'fortran_order': False, 'shape': 2}; expected '('",
        "{'descr': '<f4', 'fortran_order': False}; must have the keys",
        "{'descr': '<f4', 'fortran_order': None, 'shape': (2,)}; must be True or False",
        "{'descr': 'f4', 'fortran_order': False, 'shape': (2,)}; dtype 'f4' is not read",
        "{'descr': '=f4', 'fortran_order': False, 'shape': (2,)}; dtype '=f4' is not read",
        "{'descr': '|f4', 'fortran_order': False, 'shape': (2,)}; dtype '|f4' is not read",
        "{'descr': '', 'fortran_order': False, 'shape': (2,)}; empty 'descr'",
        "{'descr': '<f4', 'x': 1, 'fortran_order': False, 'shape': (2,)}; unexpected key 'x'",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} {}; unexpected text",
        "{'descr: 2}; expected a quoted string",
        "__import__('os'); expected '{'",
      })
  void open_malformedHeader_isRefused(String header, String message) throws Exception {
    Path path = write(1, header, new byte[8]);
    assertThatThrownBy(() -> NpyFile.open(path))
        .isInstanceOf(NpyException.class)
        .hasMessageStartingWith(path + ": ")
        .hasMessageContaining(message);
  }

  @Test
  void open_pythonTwoHeader_isRead() throws Exception {
    Path path =
        write(1, "{\"shape\": (2L,), 'fortran_order': True, 'descr': '<f4', }\n", new byte[8]);
    try (NpyFile file = NpyFile.open(path)) {
      assertThat(file.shape()).containsExactly(2);
    }
  }

  @Test
  void open_notNpyOrUnknownVersion_isRefused() throws Exception {
    Path path = folder.resolve("x.npy");
    Files.writeString(path, "not an array");
    assertThatThrownBy(() -> NpyFile.open(path)).hasMessageContaining("is not a .npy file");

    assertThatThrownBy(() -> NpyFile.open(write(4, "", new byte[0])))
        .isInstanceOf(NpyException.class)
        .hasMessageContaining(".npy version 4 is not read");
    assertThatThrownBy(() -> NpyFile.open(folder))
        .isInstanceOf(NpyException.class)
        .hasMessageContaining("is a directory");
  }

  @Test
  void open_hugeHeaderLength_isRefusedWithoutAllocatingIt() throws Exception {
    Path path = folder.resolve("x.npy");
    Files.write(path, new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 2, 0, -1, -1, -1, -1});
    assertThatThrownBy(() -> NpyFile.open(path))
        .isInstanceOf(NpyException.class)
        .hasMessageContaining("header of 4294967295 bytes, at most 65536 are read");
  }

  @Property
  void mutatedFile_isReadOrRefused(
      @ForAll @IntRange(max = 151) int at, @ForAll byte value, @ForAll @IntRange(max = 152) int end)
      throws Exception {
    byte[] bytes = Files.readAllBytes(resource("le-f4"));
    bytes[at] = value;
    Path path = Files.createTempFile("mutated", ".npy");
    try {
      Files.write(path, end % 3 == 0 ? Arrays.copyOf(bytes, end) : bytes);
      try (NpyFile file = NpyFile.open(path)) {
        float[] all = new float[(int) file.elementCount()];
        file.readFloats(0, all, 0, all.length);
        assertThat(all).hasSizeLessThanOrEqualTo(24);
      } catch (NpyException e) {
        assertThat(e).hasMessageStartingWith(path + ": ");
      }
    } finally {
      Files.delete(path);
    }
  }

  private static float[] read(String name) throws Exception {
    try (NpyFile file = NpyFile.open(resource(name))) {
      float[] all = new float[(int) file.elementCount()];
      file.readFloats(0, all, 0, all.length);
      return all;
    }
  }

  private Path write(int version, String header, byte[] body) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.write(NpyFile.MAGIC);
    bytes.write(new byte[] {(byte) version, 0, (byte) header.length(), 0});
    bytes.write(header.getBytes(StandardCharsets.ISO_8859_1));
    bytes.write(body);
    return Files.write(folder.resolve("x.npy"), bytes.toByteArray());
  }

  private static Path resource(String name) throws URISyntaxException {
    return Path.of(NpyFileTest.class.getResource("/npy/" + name + ".npy").toURI());
  }
}
