package io.matryoshka.sae;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.matryoshka.sae.internal.kernel.Csr;
import io.matryoshka.sae.internal.model.RowScaling;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SparseLatentsWriterTest {

  private static final int WIDTH = 50;

  @TempDir Path folder;

  private static SparseLatents random(int rows, boolean scaled) {
    Random random = new Random(3);
    int[] offsets = new int[rows + 1];
    int[] latents = new int[rows * WIDTH];
    float[] values = new float[rows * WIDTH];
    int size = 0;
    for (int row = 0; row < rows; row++) {
      for (int latent = 0; latent < WIDTH; latent++) {
        if (random.nextInt(3) == 0) {
          latents[size] = latent;
          values[size++] = random.nextFloat();
        }
      }
      offsets[row + 1] = size;
    }
    float[] scale = new float[rows];
    float[] mean = new float[rows];
    for (int row = 0; row < rows; row++) {
      scale[row] = 1 + random.nextFloat();
      mean[row] = random.nextFloat();
    }
    return new SparseLatents(
        new Csr(
            offsets, java.util.Arrays.copyOf(latents, size), java.util.Arrays.copyOf(values, size)),
        Levels.ofOne(WIDTH),
        new long[] {rows},
        new long[] {7},
        scaled ? new RowScaling(scale, mean) : RowScaling.NONE);
  }

  private long temporaryFiles() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.toString().endsWith(".tmp")).count();
    }
  }

  @ParameterizedTest
  @CsvSource({"1, true", "7, false", "4000, true", "4000, false", "100000, false"})
  void finish_rowsInPieces_givesTheBytesOfSave(int piece, boolean scaled) throws IOException {
    SparseLatents latents = random(piece == 1 ? 60 : 4000, scaled);
    Path whole = folder.resolve("whole.safetensors");
    latents.save(whole);
    Path pieces = folder.resolve("pieces.safetensors");
    try (SparseLatentsWriter writer = SparseLatentsWriter.create(pieces, WIDTH)) {
      for (int row = 0; row < latents.rows(); row += piece) {
        writer.append(latents.rows(row, Math.min(latents.rows(), row + piece)));
      }
      assertThat(writer.rows()).isEqualTo(latents.rows());
      assertThat(writer.entries()).isEqualTo(latents.activeCount());
      assertThat(pieces).doesNotExist();
      writer.finish();
    }
    assertThat(pieces).hasSameBinaryContentAs(whole);
    assertThat(temporaryFiles()).isZero();
  }

  @ParameterizedTest
  @CsvSource({"true", "false"})
  void appendEmpty_betweenRows_givesRowsWithoutLatents(boolean scaled) throws IOException {
    SparseLatents latents = random(4, scaled);
    Path file = folder.resolve("gaps.safetensors");
    try (SparseLatentsWriter writer = SparseLatentsWriter.create(file, WIDTH)) {
      writer.appendEmpty(2000);
      writer.append(latents);
      writer.appendEmpty(2);
      writer.finish(2, 1003);
    }
    SparseLatents read = SparseLatents.load(file);
    assertThat(read.leadingShape()).containsExactly(2, 1003);
    assertThat(read.activeCount(1999)).isZero();
    assertThat(read.activeCount(2005)).isZero();
    assertThat(read.rows(2000, 2004).activations()).isEqualTo(latents.activations());
    assertThat(read.rows(2000, 2004).latents()).isEqualTo(latents.latents());
    if (scaled) {
      RowScaling scaling = read.scaling();
      assertThat(scaling.scale()[0]).isOne();
      assertThat(scaling.scale()[2005]).isOne();
      assertThat(scaling.scale()[2000]).isEqualTo(latents.scaling().scale()[0]);
      assertThat(scaling.mean()[2003]).isEqualTo(latents.scaling().mean()[3]);
    }
  }

  @Test
  void finish_noRows_givesAnEmptyFile() throws IOException {
    Path file = folder.resolve("empty.safetensors");
    try (SparseLatentsWriter writer = SparseLatentsWriter.create(file, WIDTH)) {
      writer.finish();
    }
    assertThat(SparseLatents.load(file).rows()).isZero();
  }

  @Test
  void close_withoutFinish_leavesNothing() throws IOException {
    Path file = folder.resolve("given-up.safetensors");
    try (SparseLatentsWriter writer = SparseLatentsWriter.create(file, WIDTH)) {
      writer.append(random(3, false));
    }
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void append_latentsOfAnotherKind_isRefused() throws IOException {
    Path file = folder.resolve("mixed.safetensors");
    try (SparseLatentsWriter writer = SparseLatentsWriter.create(file, WIDTH)) {
      writer.append(random(3, false));
      SparseLatents narrow = SparseLatents.of(new int[] {0}, new int[0], new float[0], 8);
      assertThatThrownBy(() -> writer.append(narrow))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContainingAll("width 50", "got 8");
      assertThatThrownBy(() -> writer.append(random(3, true)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("without normalisation were written before");
      assertThatThrownBy(() -> writer.finish(2, 2))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContainingAll("[2, 2]", "3 rows");
    }
  }
}
