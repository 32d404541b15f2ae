package io.matryoshka.sae.internal.torchzip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.matryoshka.sae.internal.io.FileBytes;
import io.matryoshka.sae.internal.weights.StoredTensor;
import io.matryoshka.sae.safetensors.Dtype;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files of {@code torch.save}: real ones, and some written here. */
class TorchZipFileTest {

  private static final Path FORMATS = Path.of("src/test/resources/formats");
  private static final byte[] SIX = TorchZips.floats(0, 1, 2, 3, 4, 5);

  @TempDir private Path folder;

  private TorchZipFile open(byte[] pickle, Map<String, byte[]> storages) throws IOException {
    return TorchZipFile.open(TorchZips.write(folder.resolve("ae.pt"), pickle, storages));
  }

  private static float[] floats(StoredTensor tensor) throws IOException {
    float[] values = new float[(int) tensor.elementCount()];
    tensor.readFloats(0, values, 0, values.length);
    return values;
  }

  @Test
  void file_ofPyTorch_hasItsTensors() throws IOException {
    try (TorchZipFile file =
        TorchZipFile.open(FORMATS.resolve("dictionary-learning-matryoshka/sae/ae.pt"))) {
      assertThat(file.tensors())
          .extracting(StoredTensor::toString)
          .containsExactly(
              "tensor W_enc F32[24, 96]",
              "tensor b_enc F32[96]",
              "tensor W_dec F32[96, 24]",
              "tensor b_dec F32[24]",
              "tensor k I32[]",
              "tensor threshold F32[]",
              "tensor group_sizes I64[3]");
      assertThat(file.find("group_sizes").orElseThrow().readLongs()).containsExactly(8, 24, 64);
      assertThat(floats(file.find("threshold").orElseThrow())).containsExactly(0.45f);
      assertThat(file.find("W_enc").orElseThrow().map(0, 24 * 96)).isPresent();
    }
  }

  @Test
  void file_ofPyTorchWithHalfFloats_readsTransposedTensors() throws IOException {
    try (TorchZipFile file =
        TorchZipFile.open(FORMATS.resolve("dictionary-learning-batchtopk/sae/ae.pt"))) {
      StoredTensor decoder = file.find("decoder.weight").orElseThrow();
      assertThat(decoder.shape()).containsExactly(24, 96);
      assertThat(decoder.dtype()).isEqualTo(Dtype.F16);
      assertThat(decoder.isContiguous()).isFalse();
      float[] rows = floats(decoder.transposed());
      float[] columns = floats(decoder);
      for (int i = 0; i < 96; i++) {
        for (int j = 0; j < 24; j++) {
          assertThat(columns[j * 96 + i]).isEqualTo(rows[i * 24 + j]);
        }
      }
    }
  }

  @Test
  void tensor_withOffsetAndStrides_isReadInRowMajorOrder() throws IOException {
    byte[] pickle =
        PickleWriter.dictionary()
            .text("t")
            .tensor("FloatStorage", "0", 6, 1, new long[] {2, 2}, new long[] {1, 3})
            .endDictionary();
    try (TorchZipFile file = open(pickle, Map.of("0", SIX))) {
      assertThat(floats(file.find("t").orElseThrow())).containsExactly(1, 4, 2, 5);
    }
  }

  @Test
  void storage_sharedByTensors_isReadByBoth() throws IOException {
    byte[] pickle =
        PickleWriter.dictionary()
            .text("a")
            .tensor("FloatStorage", "0", 6, 0, new long[] {3}, new long[] {1})
            .text("b")
            .tensor("FloatStorage", "0", 6, 3, new long[] {3}, new long[] {1})
            .endDictionary();
    try (TorchZipFile file = open(pickle, Map.of("0", SIX))) {
      assertThat(floats(file.find("a").orElseThrow())).containsExactly(0, 1, 2);
      assertThat(floats(file.find("b").orElseThrow())).containsExactly(3, 4, 5);
    }
  }

  @Test
  void tensor_expandedFromOneElement_repeatsIt() throws IOException {
    byte[] pickle =
        PickleWriter.dictionary()
            .text("t")
            .tensor("FloatStorage", "0", 1, 0, new long[] {4}, new long[] {0})
            .endDictionary();
    try (TorchZipFile file = open(pickle, Map.of("0", TorchZips.floats(7)))) {
      assertThat(floats(file.find("t").orElseThrow())).containsExactly(7, 7, 7, 7);
    }
  }

  @Test
  void tensor_alone_hasAName() throws IOException {
    byte[] pickle =
        new PickleWriter().tensor("FloatStorage", "0", 6, 0, new long[] {6}, new long[] {1}).end();
    try (TorchZipFile file = open(pickle, Map.of("0", SIX))) {
      assertThat(file.tensors()).extracting(StoredTensor::name).containsExactly("tensor");
    }
  }

  @Test
  void stateDict_withAttributesAndParameters_isRead() throws IOException {
    PickleWriter w = new PickleWriter().name("collections", "OrderedDict").raw(')', 'R', 'q', 1);
    w.raw('(').text("p").name("torch._utils", "_rebuild_parameter").raw('(');
    w.tensor("FloatStorage", "0", 6, 0, new long[] {2, 3}, new long[] {3, 1});
    w.raw(0x88).name("collections", "OrderedDict").raw(')', 'R', 't', 'R', 'u');
    byte[] pickle = w.raw('}').text("_metadata").raw('}', 's', 'b').end();
    try (TorchZipFile file = open(pickle, Map.of("0", SIX))) {
      assertThat(floats(file.find("p").orElseThrow())).containsExactly(0, 1, 2, 3, 4, 5);
    }
  }

  @Test
  void tensor_ofAnUntypedStorage_takesTheDtypeBesideIt() throws IOException {
    PickleWriter w = PickleWriter.dictionary().text("t");
    w.name("torch._utils", "_rebuild_tensor_v3").raw('(', '(').text("storage");
    w.name("torch.storage", "UntypedStorage").text("0").text("cpu").whole(4).raw('t', 'Q');
    w.whole(0).tuple(2).tuple(1).raw(0x89).raw('}').name("torch", "uint16").raw('t', 'R');
    try (TorchZipFile file =
        open(w.endDictionary(), Map.of("0", new byte[] {1, 0, (byte) 255, (byte) 255}))) {
      assertThat(file.find("t").orElseThrow().readLongs()).containsExactly(1, 65535);
    }
  }

  @Test
  void entries_thatAreNoTensors_areNamed() throws IOException {
    byte[] pickle =
        PickleWriter.dictionary()
            .text("step")
            .whole(70_000)
            .text("t")
            .tensor("FloatStorage", "0", 6, 0, new long[] {6}, new long[] {1})
            .endDictionary();
    try (TorchZipFile file = open(pickle, Map.of("0", SIX))) {
      assertThat(file.skipped()).containsExactly("step");
    }
  }

  @Test
  void members_deflated_areUnpacked() throws IOException {
    byte[] pickle =
        PickleWriter.dictionary()
            .text("t")
            .tensor("FloatStorage", "0", 6, 0, new long[] {2, 3}, new long[] {1, 2})
            .endDictionary();
    Map<String, byte[]> members = new LinkedHashMap<>();
    members.put("x/data.pkl", pickle);
    members.put("x/data/0", SIX);
    Path path = TorchZips.writeMembers(folder.resolve("ae.pt"), members, ZipEntry.DEFLATED);
    try (TorchZipFile file = TorchZipFile.open(path)) {
      assertThat(floats(file.find("t").orElseThrow())).containsExactly(0, 2, 4, 1, 3, 5);
      assertThat(file.find("t").orElseThrow().map(0, 6)).isEmpty();
    }
    try (var left = Files.list(folder)) {
      assertThat(left).as("nothing is left beside the file").containsExactly(path);
    }
  }

  @Test
  void file_closed_isRefused() throws IOException {
    byte[] pickle =
        new PickleWriter().tensor("FloatStorage", "0", 6, 0, new long[] {6}, new long[] {1}).end();
    TorchZipFile file = open(pickle, Map.of("0", SIX));
    file.close();
    file.close();
    assertThatThrownBy(() -> floats(file.tensors().get(0)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
  }

  @Test
  void byteOrder_big_isRefused() throws IOException {
    Map<String, byte[]> members = new LinkedHashMap<>();
    members.put("x/data.pkl", new PickleWriter().raw('}').end());
    members.put("x/byteorder", "big".getBytes());
    Path path = TorchZips.writeMembers(folder.resolve("ae.pt"), members, ZipEntry.STORED);
    assertThatThrownBy(() -> TorchZipFile.open(path))
        .isInstanceOf(TorchZipException.class)
        .hasMessageContaining("byte order is 'big'");
  }

  @Test
  void program_ofTorchScript_isNamed() throws IOException {
    Map<String, byte[]> members = new LinkedHashMap<>();
    members.put("x/data.pkl", new PickleWriter().raw('}').end());
    members.put("x/constants.pkl", new byte[0]);
    Path path = TorchZips.writeMembers(folder.resolve("ae.pt"), members, ZipEntry.STORED);
    assertThatThrownBy(() -> TorchZipFile.open(path)).hasMessageContaining("TorchScript");
  }

  @Test
  void pickle_withoutArchive_isNamed() throws IOException {
    Path path = Files.write(folder.resolve("old.pt"), new byte[] {(byte) 0x80, 2, '}', '.'});
    assertThatThrownBy(() -> TorchZipFile.open(path)).hasMessageContaining("before 1.6");
  }

  @Test
  void elements_ofBigEndianOrder_areSwapped() throws IOException {
    byte[] bytes =
        ByteBuffer.allocate(8).order(ByteOrder.BIG_ENDIAN).putFloat(1).putFloat(2).array();
    Path path = Files.write(folder.resolve("raw"), bytes);
    try (var source = FileBytes.open(path)) {
      StoredTensor tensor =
          new StoredTensor(
              "t", Dtype.F32, ByteOrder.BIG_ENDIAN, new long[] {2}, new long[] {1}, source, 0);
      assertThat(floats(tensor)).containsExactly(1, 2);
      assertThat(tensor.map(0, 2)).isEmpty();
    }
    assertThat(List.of(path)).allMatch(Files::exists);
  }
}
