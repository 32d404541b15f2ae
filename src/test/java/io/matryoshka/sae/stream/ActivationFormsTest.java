package io.matryoshka.sae.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.npy.HalfType;
import io.matryoshka.sae.npy.NpyWriter;
import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The forms in which people keep activations, and files that are something else. */
class ActivationFormsTest {

  private static final SourceOptions WIDTH = SourceOptions.defaults().dIn(4);

  @TempDir private Path folder;

  private static float[] count(int length) {
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = i + 1;
    }
    return values;
  }

  private Path npy(String name, long... shape) throws IOException {
    int length = 1;
    for (long dimension : shape) {
      length *= (int) dimension;
    }
    Path file = folder.resolve(name);
    try (NpyWriter writer = NpyWriter.create(file, shape)) {
      writer.write(count(length), 0, length);
      writer.finish();
    }
    return file;
  }

  private Path prompts(String... names) throws IOException {
    Path file = folder.resolve("prompts.safetensors");
    SafetensorsWriter.Builder builder = SafetensorsWriter.builder();
    for (String name : names) {
      builder.tensor(name, Dtype.F32, 1, 4);
    }
    try (SafetensorsWriter writer = builder.create(file)) {
      for (String name : names) {
        float number = Float.parseFloat(name.replaceAll("\\D", ""));
        writer.writeFloats(name, new float[] {number, number, number, number});
      }
      writer.finish();
    }
    return file;
  }

  private static float[] read(Path file, SourceOptions options) throws IOException {
    return Activations.read(ActivationSource.open(List.of(file), options)).values();
  }

  // ---- shapes ---------------------------------------------------------------------------------

  @Test
  void open_oneVector_isOneRow() throws IOException {
    ActivationSource source = ActivationSource.open(List.of(npy("v.npy", 4)), WIDTH);
    assertThat(source.rows()).isEqualTo(1);
    assertThat(source.shards().get(0).shape()).containsExactly(4L);
    assertThat(Activations.read(source).values()).containsExactly(1, 2, 3, 4);
  }

  @ParameterizedTest
  @CsvSource({"true, 6", "false, 0"})
  void open_headsOfHookZ_areJoinedIfAsked(boolean join, int rows) throws IOException {
    Path file = npy("z.npy", 2, 3, 2, 2);
    SourceOptions options = WIDTH.joinsHeads(join);
    if (join) {
      ActivationSource source = ActivationSource.open(List.of(file), options);
      assertThat(source.rows()).isEqualTo(rows);
      assertThat(source.shards().get(0).shape()).containsExactly(2L, 3L, 4L);
      assertThat(Activations.read(source).values()).isEqualTo(count(24));
    } else {
      assertThatThrownBy(() -> ActivationSource.open(List.of(file), options))
          .isInstanceOf(ActivationException.class)
          .hasMessageContaining("[2, 3, 2, 2]")
          .hasMessageContaining("multiply to d_in: reshape it to [..., 4]");
    }
  }

  @Test
  void open_swappedAxes_areTold() throws IOException {
    Path file = npy("t.npy", 4, 9);
    assertThatThrownBy(() -> ActivationSource.open(List.of(file), WIDTH))
        .hasMessageContaining("axes seem to be swapped");
  }

  // ---- bfloat16 -------------------------------------------------------------------------------

  private Path halves(String name, String descr) throws IOException {
    String header = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (1, 4), }";
    ByteBuffer bytes = ByteBuffer.allocate(10 + header.length() + 8).order(ByteOrder.LITTLE_ENDIAN);
    bytes.put(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0});
    bytes.putShort((short) header.length()).put(header.getBytes(StandardCharsets.US_ASCII));
    for (float value : new float[] {1, -2, 0.5f, 3}) {
      bytes.putShort((short) (Float.floatToIntBits(value) >>> 16));
    }
    return Files.write(folder.resolve(name), bytes.array());
  }

  @ParameterizedTest
  @CsvSource({"<u2", "<i2", "|V2"})
  void open_bfloat16InNpy_isReadIfTold(String descr) throws IOException {
    Path file = halves("b.npy", descr);
    assertThat(read(file, WIDTH.bits(HalfType.BFLOAT16))).containsExactly(1, -2, 0.5f, 3);
    assertThatThrownBy(() -> ActivationSource.open(List.of(file), WIDTH))
        .isInstanceOf(ActivationException.class)
        .hasMessageContainingAll("b.npy", "bfloat16", "safetensors from PyTorch");
  }

  @Test
  void open_bfloat16AsIntegersInSafetensors_isReadIfTold() throws IOException {
    Path file = folder.resolve("b.safetensors");
    ByteBuffer bytes = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : new float[] {1, -2, 0.5f, 3}) {
      bytes.putShort((short) (Float.floatToIntBits(value) >>> 16));
    }
    try (SafetensorsWriter writer =
        SafetensorsWriter.builder().tensor("acts", Dtype.I16, 1, 4).create(file)) {
      writer.write("acts", bytes.flip());
      writer.finish();
    }
    assertThat(read(file, WIDTH.bits(HalfType.BFLOAT16))).containsExactly(1, -2, 0.5f, 3);
    assertThatThrownBy(
            () -> ActivationSource.open(List.of(npy("f.npy", 1, 4)), WIDTH.bits(HalfType.BFLOAT16)))
        .hasMessageContaining("two-byte floating values (--as)");
  }

  // ---- one tensor for each prompt -------------------------------------------------------------

  @ParameterizedTest
  @CsvSource({"I16", "U16"})
  void open_integersOfTwoBytes_saysHowToReadThem(Dtype dtype) throws IOException {
    Path file = folder.resolve("bits.safetensors");
    try (SafetensorsWriter writer =
        SafetensorsWriter.builder().tensor("x", dtype, 2, 4).create(file)) {
      writer.write("x", ByteBuffer.allocate(16));
      writer.finish();
    }
    for (SourceOptions options : List.of(WIDTH, WIDTH.tensor("x"))) {
      assertThatThrownBy(() -> ActivationSource.open(List.of(file), options))
          .isInstanceOf(ActivationException.class)
          .hasMessageContaining(dtype.name())
          .hasMessageContaining("--as bfloat16");
    }
  }

  @Test
  void open_patternOfTensors_comesInNaturalOrder() throws IOException {
    Path file = prompts("p10", "p2", "p1", "q3");
    assertThat(read(file, WIDTH.tensor("p*")))
        .containsExactly(1, 1, 1, 1, 2, 2, 2, 2, 10, 10, 10, 10);
    assertThat(read(file, WIDTH.tensor("?[2-3]"))).containsExactly(2, 2, 2, 2, 3, 3, 3, 3);
    assertThat(read(file, WIDTH.tensor("p10"))).containsExactly(10, 10, 10, 10);
    assertThatThrownBy(() -> read(file, WIDTH.tensor("x*")))
        .hasMessageContainingAll("has no tensor \"x*\"", "p10");
    assertThatThrownBy(() -> read(file, WIDTH)).hasMessageContaining("a pattern such as 'p*'");
  }

  @Test
  void pattern_otherCharacters_areThemselves() {
    assertThat(TensorPattern.compile("a.b*").matcher("a.bc").matches()).isTrue();
    assertThat(TensorPattern.compile("a.b*").matcher("axbc").matches()).isFalse();
    assertThat(TensorPattern.compile("[!a]/(x)").matcher("b/(x)").matches()).isTrue();
    assertThat(TensorPattern.compile("a[").matcher("a[").matches()).isTrue();
  }

  // ---- files of other kinds -------------------------------------------------------------------

  private Path zip(String name, String entry) throws IOException {
    Path file = folder.resolve(name);
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
      zip.putNextEntry(new ZipEntry(entry));
      zip.write(new byte[8]);
    }
    return file;
  }

  @ParameterizedTest
  @CsvSource({
    "a.npz, arr_0.npy, NumPy archive",
    "a.npy, arr_0.npy, NumPy archive",
    "a.pt, archive/data.pkl, torch.save",
    "a.safetensors, archive/data.pkl, torch.save"
  })
  void open_archive_isNamedWhateverItsName(String name, String entry, String expected)
      throws IOException {
    Path file = zip(name, entry);
    assertThatThrownBy(() -> ActivationSource.open(List.of(file)))
        .isInstanceOf(ActivationException.class)
        .hasMessageContainingAll(name, expected);
  }

  @Test
  void open_contentBeforeName_decides() throws IOException {
    Path file = Files.move(npy("x.npy", 2, 4), folder.resolve("x.safetensors"));
    assertThat(read(file, WIDTH)).isEqualTo(count(8));
  }

  @Test
  void open_numbersWithoutHeader_areNamed() throws IOException {
    Path raw = Files.write(folder.resolve("acts.dat"), new byte[64]);
    assertThatThrownBy(() -> ActivationSource.open(List.of(raw)))
        .isInstanceOf(ActivationException.class)
        .hasMessageContainingAll("acts.dat", "np.memmap", "np.save");
    Path empty = Files.createFile(folder.resolve("e.npy"));
    assertThatThrownBy(() -> ActivationSource.open(List.of(empty)))
        .hasMessageContainingAll("e.npy", "is empty");
    assertThat(LeftOut.in(folder)).singleElement().asString().contains("acts.dat", "neither");
  }

  @Test
  void folder_otherData_isNamed() throws IOException {
    zip("b.npz", "arr_0.npy");
    Files.writeString(folder.resolve("README.md"), "notes");
    Files.writeString(folder.resolve("meta.json"), "{\"a\": 1}");
    Files.createDirectories(folder.resolve("deeper"));
    Files.move(npy("x.npy", 1, 4), folder.resolve("deeper").resolve("x.npy"));
    List<String> named = new ArrayList<>(LeftOut.in(folder));
    assertThat(named).hasSize(2);
    assertThat(named.get(0)).contains("b.npz", "NumPy archive");
    assertThat(named.get(1)).contains("deeper", "name it as an input");
    assertThatThrownBy(() -> ActivationFiles.find(List.of(folder.toString())))
        .isInstanceOf(ActivationException.class)
        .hasMessageContainingAll("holds no .safetensors and no .npy file", "b.npz");
  }

  @Test
  void folder_arrowDataSet_isNamedWithTheWayOut() throws IOException {
    Files.write(folder.resolve("data-00000-of-00001.arrow"), new byte[] {-1, -1, -1, -1, 16, 1});
    Files.writeString(folder.resolve("state.json"), "{\"_fingerprint\": \"1\"}");
    assertThatThrownBy(() -> ActivationFiles.find(List.of(folder.toString())))
        .hasMessageContainingAll("Arrow", "datasets.load_from_disk", "np.save");
  }

  // ---- one line -------------------------------------------------------------------------------

  @Test
  void activations_file_becomesArraysInOneLine() throws IOException {
    Path file = npy("x.npy", 2, 3, 4);
    assertThat(Activations.read(file).values()).isEqualTo(count(24));
    assertThat(Activations.read(file).shape()).containsExactly(2, 3, 4);
    try (NDManager manager = NDManager.newBaseManager()) {
      NDArray x = Activations.read(file).toArray(manager);
      assertThat(x.getShape()).isEqualTo(new Shape(2, 3, 4));
      assertThat(x.toFloatArray()).isEqualTo(count(24));
    }
    npy("y.npy", 1, 4);
    assertThat(Activations.read(folder).shape()).containsExactly(7, 4);
  }

  @ParameterizedTest
  @CsvSource({"<f2,BFLOAT16", ">f2,BFLOAT16", "F16,BFLOAT16", "BF16,FLOAT16", "F32,BFLOAT16"})
  void bits_thatContradictTheFile_areRefused(String stored, HalfType said) throws IOException {
    Path file = stored.endsWith("f2") ? halves("h.npy", stored) : tensor(Dtype.valueOf(stored));
    assertThatThrownBy(() -> ActivationSource.open(List.of(file), WIDTH.bits(said)))
        .isInstanceOf(ActivationException.class)
        .hasMessageContainingAll("has dtype " + stored, "(--as)", "leave --as out");
  }

  @Test
  void bits_thatAgreeWithTheFile_areTaken() throws IOException {
    assertThat(
            ActivationSource.open(List.of(halves("h.npy", "<f2")), WIDTH.bits(HalfType.FLOAT16))
                .rows())
        .isEqualTo(1);
    assertThat(
            ActivationSource.open(List.of(tensor(Dtype.BF16)), WIDTH.bits(HalfType.BFLOAT16))
                .rows())
        .isEqualTo(1);
  }

  private Path tensor(Dtype dtype) throws IOException {
    Path file = folder.resolve(dtype + ".safetensors");
    try (SafetensorsWriter writer =
        SafetensorsWriter.builder().tensor("x", dtype, 1, 4).create(file)) {
      writer.write("x", ByteBuffer.allocate(4 * dtype.bits() / 8));
      writer.finish();
    }
    return file;
  }
}
