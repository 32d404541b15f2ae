package io.matryoshka.sae.internal.npz;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.matryoshka.sae.internal.io.FileBytes;
import io.matryoshka.sae.internal.weights.StoredTensor;
import io.matryoshka.sae.npy.NpyException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Archives put together here, as NumPy writes them. */
class NpzFileTest {

  @TempDir private Path folder;

  private static byte[] npy(String descr, boolean fortran, String shape, float... values) {
    String text =
        "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }\n"
            .formatted(descr, fortran ? "True" : "False", shape);
    boolean big = descr.startsWith(">");
    ByteBuffer bytes = ByteBuffer.allocate(10 + text.length() + 4 * values.length);
    bytes.put((byte) 0x93).put("NUMPY".getBytes(StandardCharsets.US_ASCII)).put((byte) 1);
    bytes.put((byte) 0).order(ByteOrder.LITTLE_ENDIAN).putShort((short) text.length());
    bytes.put(text.getBytes(StandardCharsets.US_ASCII));
    bytes.order(big ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      bytes.putFloat(value);
    }
    return bytes.array();
  }

  private NpzFile open(int method, String name, byte[] npy) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      ZipEntry entry = new ZipEntry(name);
      entry.setMethod(method);
      CRC32 sum = new CRC32();
      sum.update(npy);
      entry.setCrc(sum.getValue());
      entry.setSize(npy.length);
      zip.putNextEntry(entry);
      zip.write(npy);
      zip.closeEntry();
    }
    Path file = Files.write(folder.resolve("a.npz"), bytes.toByteArray());
    return NpzFile.open(FileBytes.open(file));
  }

  private static float[] floats(StoredTensor tensor) throws IOException {
    float[] values = new float[(int) tensor.elementCount()];
    tensor.readFloats(0, values, 0, values.length);
    return values;
  }

  @ParameterizedTest
  @ValueSource(ints = {ZipEntry.STORED, ZipEntry.DEFLATED})
  void array_isRead(int method) throws IOException {
    try (NpzFile file = open(method, "a.npy", npy("<f4", false, "(2, 3)", 0, 1, 2, 3, 4, 5))) {
      StoredTensor tensor = file.find("a").orElseThrow();
      assertThat(tensor.shape()).containsExactly(2, 3);
      assertThat(floats(tensor)).containsExactly(0, 1, 2, 3, 4, 5);
      assertThat(tensor.map(0, 6).isPresent()).isEqualTo(method == ZipEntry.STORED);
    }
  }

  @Test
  void array_inFortranOrder_isTurned() throws IOException {
    try (NpzFile file =
        open(ZipEntry.STORED, "a.npy", npy("<f4", true, "(2, 3)", 0, 3, 1, 4, 2, 5))) {
      assertThat(file.find("a").orElseThrow().shape()).containsExactly(2, 3);
      assertThat(floats(file.find("a").orElseThrow())).containsExactly(0, 1, 2, 3, 4, 5);
    }
  }

  @Test
  void array_bigEndianInFortranOrder_isTurnedAndSwapped() throws IOException {
    try (NpzFile file = open(ZipEntry.STORED, "a.npy", npy(">f4", true, "(2, 2)", 1, 3, 2, 4))) {
      assertThat(floats(file.find("a").orElseThrow())).containsExactly(1, 2, 3, 4);
    }
  }

  @Test
  void array_bigEndian_isSwapped() throws IOException {
    try (NpzFile file = open(ZipEntry.STORED, "a.npy", npy(">f4", false, "(2,)", 1, 2))) {
      assertThat(floats(file.find("a").orElseThrow())).containsExactly(1, 2);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "a.npy | <f4 | (3,) | takes 12 bytes, but 8 follow",
        "a.npy | <f4 | (1,) | takes 4 bytes, but 8 follow",
        "a.npy | <f4 | (9999999999, 9999999999) | overflow",
        "a.npy | <c8 | (1,) | dtype '<c8' is not read",
        "a.txt | <f4 | (2,) | expected only members that end with .npy",
      },
      quoteCharacter = '`')
  void fault_isNamed(String name, String descr, String shape, String message) {
    assertThatThrownBy(() -> open(ZipEntry.STORED, name, npy(descr, false, shape, 1, 2)))
        .isInstanceOf(NpyException.class)
        .hasMessageContaining("a.npz")
        .hasMessageContaining(message);
  }

  @Test
  void member_thatIsNoArray_isRefused() {
    assertThatThrownBy(() -> open(ZipEntry.STORED, "a.npy", new byte[40]))
        .isInstanceOf(NpyException.class)
        .hasMessageContaining("is not a .npy file");
  }
}
