package io.matryoshka.sae.internal.torchzip;

import static org.assertj.core.api.Assertions.assertThat;

import io.matryoshka.sae.internal.weights.StoredTensor;
import io.matryoshka.sae.internal.zip.ZipFormatException;
import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.support.MutatedFile;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AfterProperty;
import net.jqwik.api.lifecycle.BeforeProperty;

/** A damaged file gives tensors within the file or a refusal, and nothing else. */
class TorchZipMutationTest {

  private static final byte[] FILE =
      read("src/test/resources/formats/dictionary-learning-matryoshka/sae/ae.pt");

  /** The pickle and the table of contents, where a change has the most effects. */
  private static final int PICKLE_BYTES = 1200;

  private static final int TABLE_BYTES = 1100;

  private MutatedFile mutated;

  private static byte[] read(String file) {
    try {
      return Files.readAllBytes(Path.of(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @BeforeProperty
  void createFile() throws IOException {
    mutated = MutatedFile.create(".pt");
  }

  @AfterProperty
  void deleteFile() {
    mutated.delete();
  }

  @Property
  void changedBytes(@ForAll("edits") List<Edit> edits) throws IOException {
    byte[] bytes = FILE.clone();
    edits.forEach(edit -> bytes[edit.at] = edit.value);
    assertTensorsOrRefusal(bytes);
  }

  @Property
  void truncatedAnywhere_isRefused(@ForAll("positions") int length) throws IOException {
    assertThat(assertTensorsOrRefusal(Arrays.copyOf(FILE, length))).isFalse();
  }

  @Property
  void insertedByte(@ForAll("positions") int at, @ForAll byte value) throws IOException {
    byte[] bytes = Arrays.copyOf(FILE, FILE.length + 1);
    System.arraycopy(FILE, at, bytes, at + 1, FILE.length - at);
    bytes[at] = value;
    assertTensorsOrRefusal(bytes);
  }

  /** One byte that is another one. */
  record Edit(int at, byte value) {}

  @Provide
  Arbitrary<List<Edit>> edits() {
    Arbitrary<Byte> values =
        Arbitraries.oneOf(
            Arbitraries.bytes(), Arbitraries.of((byte) 0, (byte) -1, (byte) 0x7f, (byte) '.'));
    return Combinators.combine(positions(), values).as(Edit::new).list().ofMinSize(1).ofMaxSize(4);
  }

  @Provide
  Arbitrary<Integer> positions() {
    return Arbitraries.oneOf(
        Arbitraries.integers().between(0, FILE.length - 1),
        Arbitraries.integers().between(0, PICKLE_BYTES),
        Arbitraries.integers().between(FILE.length - TABLE_BYTES, FILE.length - 1));
  }

  /** Returns whether the file was read. */
  private boolean assertTensorsOrRefusal(byte[] bytes) throws IOException {
    Path path = mutated.write(bytes);
    try (TorchZipFile file = TorchZipFile.open(path)) {
      for (StoredTensor tensor : file.tensors()) {
        int size = (int) tensor.elementCount() * (tensor.dtype().bits() / Byte.SIZE);
        ByteBuffer target = ByteBuffer.allocate(size);
        tensor.read(0, target);
        assertThat(tensor.dtype()).isInstanceOf(Dtype.class);
        assertThat(target.hasRemaining()).isFalse();
      }
      return true;
    } catch (TorchZipException | ZipFormatException e) {
      assertThat(e).hasMessageContaining(path.toString());
      return false;
    } catch (EOFException e) {
      throw new AssertionError("a file that is not checked before it is read", e);
    }
  }
}
