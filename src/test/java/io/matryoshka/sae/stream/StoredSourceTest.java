package io.matryoshka.sae.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.matryoshka.sae.npy.NpyFile;
import io.matryoshka.sae.npy.NpyWriter;
import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import io.matryoshka.sae.safetensors.SafetensorsWriter;
import io.matryoshka.sae.store.StoredFile;
import io.matryoshka.sae.support.MemoryStore;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Activations that lie in another store than the disk. */
class StoredSourceTest {

  private static final int D_IN = 4;

  @TempDir Path folder;

  private final MemoryStore store = new MemoryStore();

  @AfterEach
  void everySource_isClosed() {
    assertThat(store.openSources()).isZero();
  }

  private Path npy(String name, int rows) throws IOException {
    Path file = folder.resolve(name);
    try (NpyWriter writer = NpyWriter.create(file, rows, D_IN)) {
      writer.write(values(name, rows), 0, rows * D_IN);
      writer.finish();
    }
    return file;
  }

  private Path safetensors(String name, int rows) throws IOException {
    Path file = folder.resolve(name);
    try (SafetensorsWriter writer =
        SafetensorsWriter.builder().tensor("acts", Dtype.F32, rows, D_IN).create(file)) {
      writer.writeFloats("acts", values(name, rows));
      writer.finish();
    }
    return file;
  }

  private static float[] values(String name, int rows) {
    float[] values = new float[rows * D_IN];
    for (int i = 0; i < values.length; i++) {
      values[i] = name.hashCode() % 1000 + i;
    }
    return values;
  }

  private List<StoredFile> copies(Path... files) throws IOException {
    List<StoredFile> copies = new ArrayList<>();
    for (Path file : files) {
      copies.add(store.copy(file));
    }
    return copies;
  }

  @Test
  void openStored_bothFormats_areReadAsFromTheDisk() throws IOException {
    List<StoredFile> files = copies(npy("a1.npy", 5), safetensors("a2.safetensors", 7));

    ActivationSource stored = ActivationSource.openStored(files, SourceOptions.defaults());

    ActivationSource disk = ActivationSource.open(List.of(folder));
    assertThat(stored.rows()).isEqualTo(12);
    assertThat(Activations.read(stored).values()).isEqualTo(Activations.read(disk).values());
    assertThat(stored.shards().get(1).firstRow()).isEqualTo(5);
    assertThat(RunSettings.describe(stored)).isEqualTo(RunSettings.describe(disk));
  }

  @Test
  void of_shardsOfAnotherSource_countsTheirRowsAnew() throws IOException {
    ActivationSource all =
        ActivationSource.openStored(
            copies(npy("a1.npy", 5), npy("a2.npy", 7)), SourceOptions.defaults());

    ActivationSource second = ActivationSource.of(all.shards().subList(1, 2));

    assertThat(second.rows()).isEqualTo(7);
    assertThat(second.shards().get(0).firstRow()).isZero();
    assertThat(Activations.read(second).values()).isEqualTo(values("a2.npy", 7));
    assertThatThrownBy(() -> ActivationSource.of(List.of()))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void inFolder_ofAStore_choosesArraysInNaturalOrder() {
    List<StoredFile> listed = new ArrayList<>();
    for (String name : List.of("part-10.npy", "part-2.NPY", "_SUCCESS", ".hidden.npy", "b.json")) {
      listed.add(store.file("mem://bucket/run.npy/" + name));
    }

    assertThat(ActivationFiles.inFolder(listed).stream().map(StoredFile::fileName))
        .containsExactly("part-2.NPY", "part-10.npy");
  }

  @Test
  void openStored_severalFaults_namesTheFirstInOrder() throws IOException {
    List<StoredFile> files = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      files.add(store.copy(npy("f" + i + ".npy", 2)));
    }
    files.set(70, store.file("mem://bucket/missing.npy"));
    files.set(71, store.put("mem://bucket/text.npy", "no array".getBytes(StandardCharsets.UTF_8)));

    for (int repeat = 0; repeat < 5; repeat++) {
      assertThatThrownBy(() -> ActivationSource.openStored(files, SourceOptions.defaults()))
          .isInstanceOf(NoSuchFileException.class)
          .hasMessageContaining("missing.npy");
    }
    Collections.swap(files, 70, 71);
    assertThatThrownBy(() -> ActivationSource.openStored(files, SourceOptions.defaults()))
        .hasMessageContaining("text.npy");
  }

  @Test
  void openStored_sameNameTwice_isRefused() throws IOException {
    StoredFile file = store.copy(npy("a.npy", 2));

    assertThatThrownBy(
            () -> ActivationSource.openStored(List.of(file, file), SourceOptions.defaults()))
        .isInstanceOf(ActivationException.class)
        .hasMessageContaining("mem://bucket/a.npy: the file is named twice");
  }

  @Test
  void next_objectReplacedMeanwhile_isRefused() throws IOException {
    Path file = npy("a.npy", 6);
    ActivationSource source =
        ActivationSource.openStored(List.of(store.copy(file)), SourceOptions.defaults());

    try (ActivationBatches batches = source.batches(2, 0)) {
      batches.next();
      store.copy(file);
      batches.next(); // Was perhaps read before; the last batch is not.
      assertThatThrownBy(batches::next)
          .isInstanceOf(ActivationException.class)
          .hasMessageContaining("mem://bucket/a.npy: the file changed while it was read");
    }
  }

  @Test
  void mask_ofAStore_isReadAsFromTheDisk() throws IOException {
    Path file = folder.resolve("mask.npy");
    try (NpyWriter writer = NpyWriter.create(file, 3)) {
      writer.write(new float[] {1, 0, 1}, 0, 3);
      writer.finish();
    }

    RowMask mask = RowMask.open(store.copy(file), Optional.empty());

    assertThat(mask.read(0, 3)).containsExactly(true, false, true);
    assertThat(mask.describe()).isEqualTo(RowMask.open(file, Optional.empty()).describe());
  }

  /** Rows of two blocks, each of which is read once for all batches in it. */
  @Test
  void mask_readInBatches_isOpenedOnceForManyRows() throws IOException {
    int rows = (1 << 19) + 5000;
    float[] values = new float[rows];
    for (int row = 0; row < rows; row++) {
      values[row] = row % 7;
    }
    Path file = folder.resolve("mask.npy");
    try (NpyWriter writer = NpyWriter.create(file, rows)) {
      writer.write(values, 0, rows);
      writer.finish();
    }
    long kept = rows - (rows + 6) / 7;
    RowMask mask = RowMask.of(store.copy(file), "", rows, kept);

    for (int from = 0; from < rows; from += 3000) {
      boolean[] counted = mask.read(from, Math.min(3000, rows - from));
      for (int i = 0; i < counted.length; i++) {
        assertThat(counted[i]).isEqualTo((from + i) % 7 != 0);
      }
    }

    assertThat(store.openings()).isEqualTo(2);
    assertThat(store.openSources()).isZero();
    assertThat(mask.countKept()).isEqualTo(kept);
    assertThat(RowMask.open(file, Optional.empty()).countKept()).isEqualTo(kept);
  }

  @Test
  void open_truncatedObject_namesItAndClosesIt() throws IOException {
    for (Path whole : List.of(npy("a.npy", 6), safetensors("b.safetensors", 6))) {
      byte[] bytes = Files.readAllBytes(whole);
      for (int length : new int[] {1, 7, 9, 11, 60, bytes.length - 1}) {
        StoredFile cut = store.put("mem://cut", Arrays.copyOf(bytes, length));
        assertThatThrownBy(() -> NpyFile.open(cut.open()))
            .isInstanceOf(IOException.class)
            .hasMessageContaining("mem://cut");
        assertThatThrownBy(() -> SafetensorsFile.open(cut.open()))
            .isInstanceOf(IOException.class)
            .hasMessageContaining("mem://cut");
      }
    }
  }

  @Test
  void map_objectOfAStore_isRefused() throws IOException {
    StoredFile stored = store.copy(safetensors("b.safetensors", 2));

    try (SafetensorsFile file = SafetensorsFile.open(stored.open())) {
      assertThat(file.readFloats("acts")).isEqualTo(values("b.safetensors", 2));
      assertThatThrownBy(() -> file.map("acts"))
          .isInstanceOf(UnsupportedOperationException.class)
          .hasMessageContaining("mem://bucket/b.safetensors is not a file of the disk");
    }
  }
}
