package io.matryoshka.sae.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.matryoshka.sae.npy.NpyWriter;
import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ActivationSourceTest {

  private static final int D_IN = 3;

  @TempDir Path folder;

  /** Value of row r, column c is 10 r + c: small integers are exact in every dtype. */
  private static float[] rows(int first, int count) {
    float[] values = new float[count * D_IN];
    for (int i = 0; i < values.length; i++) {
      values[i] = 10f * (first + i / D_IN) + i % D_IN;
    }
    return values;
  }

  private Path npy(String name, int first, long... shape) throws IOException {
    int count = 1;
    for (long dimension : shape) {
      count *= (int) dimension;
    }
    Path file = folder.resolve(name);
    try (NpyWriter writer = NpyWriter.create(file, shape)) {
      writer.write(rows(first, count / D_IN), 0, count);
      writer.finish();
    }
    return file;
  }

  private static void put(SafetensorsWriter writer, String tensor, Dtype dtype, float[] values)
      throws IOException {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * dtype.bits() / 8).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      switch (dtype) {
        case F64 -> bytes.putDouble(value);
        case F32 -> bytes.putFloat(value);
        case BF16 -> bytes.putShort((short) (Float.floatToIntBits(value) >>> 16));
        default -> bytes.putShort(half(value));
      }
    }
    writer.write(tensor, bytes.flip());
  }

  /** float16 of a small integer. */
  private static short half(float value) {
    if (value == 0) {
      return 0;
    }
    int bits = Float.floatToIntBits(value);
    return (short) (((bits >>> 23) - 127 + 15) << 10 | (bits >>> 13) & 0x3ff);
  }

  private Path safetensors(String name, Dtype dtype, int first, long... shape) throws IOException {
    int count = 1;
    for (long dimension : shape) {
      count *= (int) dimension;
    }
    Path file = folder.resolve(name);
    try (SafetensorsWriter writer =
        SafetensorsWriter.builder()
            .tensor("acts", dtype, shape)
            .tensor("tokens", Dtype.I64, 2, D_IN)
            .tensor("mean", Dtype.F32, D_IN)
            .create(file)) {
      put(writer, "acts", dtype, rows(first, count / D_IN));
      writer.writeLongs("tokens", new long[2 * D_IN]);
      writer.writeFloats("mean", new float[D_IN]);
      writer.finish();
    }
    return file;
  }

  private static float[] readAll(ActivationSource source, int rowsPerBatch, long fromRow)
      throws IOException {
    float[] all = new float[(int) (source.rows() - fromRow) * source.dIn()];
    long next = fromRow;
    try (ActivationBatches batches = source.batches(rowsPerBatch, fromRow)) {
      while (batches.hasNext()) {
        ActivationBatch batch = batches.next();
        assertThat(batch.firstRow()).isEqualTo(next);
        assertThat(batch.rows())
            .isEqualTo((int) Math.min(rowsPerBatch, source.rows() - batch.firstRow()));
        assertThat(batch.values()).hasSize(batch.rows() * source.dIn());
        System.arraycopy(
            batch.values(), 0, all, (int) (next - fromRow) * D_IN, batch.values().length);
        next += batch.rows();
      }
      assertThatThrownBy(batches::next).isInstanceOf(NoSuchElementException.class);
    }
    assertThat(next).isEqualTo(source.rows());
    return all;
  }

  private List<Path> threeFiles() throws IOException {
    return List.of(
        npy("1.npy", 0, 5, D_IN),
        safetensors("2.safetensors", Dtype.F32, 5, 2, 2, D_IN),
        npy("3.npy", 9, 0, D_IN),
        npy("4.npy", 9, 1, 1, 4, D_IN));
  }

  @ParameterizedTest
  @CsvSource({"1, 0", "2, 0", "3, 4", "4, 5", "13, 0", "100, 0", "5, 12", "5, 13"})
  void batches_ofManyFiles_giveEveryRowOnceInOrder(int rowsPerBatch, int fromRow)
      throws IOException {
    ActivationSource source = ActivationSource.open(threeFiles());
    assertThat(source.dIn()).isEqualTo(D_IN);
    assertThat(source.rows()).isEqualTo(13);
    assertThat(readAll(source, rowsPerBatch, fromRow)).isEqualTo(rows(fromRow, 13 - fromRow));
  }

  @ParameterizedTest
  @EnumSource(
      value = Dtype.class,
      names = {"F16", "BF16", "F32", "F64"})
  void batches_ofEveryFloatingDtype_areWidenedOrRounded(Dtype dtype) throws IOException {
    Path file = safetensors("a.safetensors", dtype, 0, 4, D_IN);
    ActivationSource source = ActivationSource.open(List.of(file), D_IN);
    assertThat(source.shards().get(0).dtype()).isEqualTo(dtype.name());
    assertThat(readAll(source, 3, 0)).isEqualTo(rows(0, 4));
  }

  @Test
  void open_folder_readsItsFilesInNaturalOrder() throws IOException {
    npy("part-10.npy", 4, 2, D_IN);
    npy("part-9.npy", 0, 4, D_IN);
    ActivationSource source = ActivationSource.open(List.of(folder), D_IN);
    assertThat(readAll(source, 4, 0)).isEqualTo(rows(0, 6));
  }

  @Test
  void shardOf_everyRow_isTheFileThatHoldsIt() throws IOException {
    ActivationSource source = ActivationSource.open(threeFiles());
    List<String> names = new ArrayList<>();
    for (int row = 0; row < 13; row++) {
      names.add(source.shardOf(row).file().fileName().substring(0, 1));
    }
    assertThat(String.join("", names)).isEqualTo("1111122224444");
    assertThat(source.shardOf(9).firstRow()).isEqualTo(9);
    assertThatThrownBy(() -> source.shardOf(13)).isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void open_filesOfDifferentWidths_namesBoth() throws IOException {
    Path first = npy("a.npy", 0, 2, D_IN);
    Path second = npy("b.npy", 0, 2, 2 * D_IN);
    assertThatThrownBy(() -> ActivationSource.open(List.of(first, second)))
        .isInstanceOf(ActivationException.class)
        .hasMessageContainingAll("b.npy", "[2, 6]", "d_in is 3", "a.npy");
  }

  @Test
  void open_otherWidthThanAsked_saysBoth() throws IOException {
    Path file = npy("a.npy", 0, 2, D_IN);
    assertThatThrownBy(() -> ActivationSource.open(List.of(file), 5))
        .isInstanceOf(ActivationException.class)
        .hasMessageContainingAll("a.npy", "[2, 3]", "[..., 5]");
    Path other = safetensors("b.safetensors", Dtype.F32, 0, 2, D_IN);
    assertThatThrownBy(() -> ActivationSource.open(List.of(other), 5))
        .isInstanceOf(ActivationException.class)
        .hasMessageContainingAll("b.safetensors", "[..., 5]", "found 0", "acts F32[2, 3]");
  }

  @Test
  void open_severalFittingTensors_wantsAName() throws IOException {
    Path file = folder.resolve("two.safetensors");
    try (SafetensorsWriter writer =
        SafetensorsWriter.builder()
            .tensor("before", Dtype.F32, 2, D_IN)
            .tensor("after", Dtype.F32, 2, D_IN)
            .tensor("tokens", Dtype.I32, 2, D_IN)
            .create(file)) {
      writer.writeFloats("before", rows(0, 2));
      writer.writeFloats("after", rows(7, 2));
      writer.writeInts("tokens", new int[2 * D_IN]);
      writer.finish();
    }
    assertThatThrownBy(() -> ActivationSource.open(List.of(file), D_IN))
        .isInstanceOf(ActivationException.class)
        .hasMessageContainingAll("two.safetensors", "found 2", "before", "after");
    ActivationSource source =
        ActivationSource.open(List.of(file), SourceOptions.defaults().dIn(D_IN).tensor("after"));
    assertThat(readAll(source, 5, 0)).isEqualTo(rows(7, 2));
    assertThatThrownBy(
            () ->
                ActivationSource.open(
                    List.of(file), SourceOptions.defaults().dIn(D_IN).tensor("nowhere")))
        .isInstanceOf(ActivationException.class)
        .hasMessageContainingAll("no tensor \"nowhere\"", "before", "after");
    assertThatThrownBy(
            () ->
                ActivationSource.open(
                    List.of(file), SourceOptions.defaults().dIn(D_IN).tensor("tokens")))
        .isInstanceOf(ActivationException.class)
        .hasMessageContainingAll("\"tokens\" has dtype I32", "float16");
  }

  @Test
  void open_arraysThatAreNoActivations_isRefused() throws IOException {
    Path vector = npy("vector.npy", 0, D_IN);
    assertThatThrownBy(() -> ActivationSource.open(List.of(vector)))
        .isInstanceOf(ActivationException.class)
        .hasMessageContainingAll("vector.npy", "[3]", "[..., d_in]", "one axis", "[1, d_in]");
    Path integers =
        header("i.npy", "{'descr': '<i4', 'fortran_order': False, 'shape': (1, 1), }", 4);
    assertThatThrownBy(() -> ActivationSource.open(List.of(integers)))
        .isInstanceOf(ActivationException.class)
        .hasMessageContainingAll("i.npy", "<i4");
    assertThatThrownBy(() -> ActivationSource.open(List.of()))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private Path header(String name, String dictionary, int dataBytes) throws IOException {
    byte[] text = dictionary.getBytes(StandardCharsets.ISO_8859_1);
    ByteBuffer bytes =
        ByteBuffer.allocate(10 + text.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
    bytes.put(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0});
    bytes.putShort((short) text.length).put(text);
    return Files.write(folder.resolve(name), bytes.array());
  }

  @Test
  void next_fileShortenedMeanwhile_isRefused() throws IOException {
    List<Path> files = threeFiles();
    ActivationSource source = ActivationSource.open(files);
    byte[] content = Files.readAllBytes(files.get(1));
    Files.write(files.get(1), java.util.Arrays.copyOf(content, content.length - 4));
    assertThatThrownBy(() -> readAll(source, 4, 0))
        .isInstanceOf(ActivationException.class)
        .hasMessageContainingAll("2.safetensors", "changed while it was read");
  }

  @Test
  void next_fileRewrittenWhileItIsRead_isRefused() throws IOException {
    Path file = npy("a.npy", 0, 50, D_IN);
    ActivationSource source = ActivationSource.open(List.of(file));
    try (ActivationBatches batches = source.batches(1, 0)) {
      batches.next();
      Files.write(file, new byte[] {1}, StandardOpenOption.WRITE);
      Files.setLastModifiedTime(file, FileTime.fromMillis(1_000_000));
      assertThatThrownBy(
              () -> {
                while (batches.hasNext()) {
                  batches.next();
                }
              })
          .isInstanceOf(ActivationException.class)
          .hasMessageContainingAll("a.npy", "changed while it was read");
      assertThatThrownBy(batches::next).isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void batches_argumentsOutOfRange_areRefused() throws IOException {
    ActivationSource source = ActivationSource.open(List.of(npy("a.npy", 0, 4, D_IN)));
    assertThatThrownBy(() -> source.batches(0, 0)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> source.batches(Integer.MAX_VALUE, 0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> source.batches(1, 5)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> source.batches(1, -1)).isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  @Timeout(300)
  void close_beforeTheEnd_endsTheThreadAndMayBeRepeated() throws Exception {
    ActivationSource source = ActivationSource.open(threeFiles());
    ActivationBatches batches = source.batches(1, 0);
    batches.next();
    batches.close();
    batches.close();
    while (Thread.getAllStackTraces().keySet().stream()
        .anyMatch(thread -> thread.getName().equals("matryoshka-read"))) {
      Thread.sleep(1);
    }
    assertThatThrownBy(batches::next).isInstanceOf(IllegalStateException.class);
  }
}
