package io.matryoshka.sae.internal.filetype;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FileTypeTest {

  private static byte[] zip(String entry) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      zip.putNextEntry(new ZipEntry(entry));
      zip.write(new byte[100]);
    }
    return bytes.toByteArray();
  }

  private static byte[] latin(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "version https://git-lfs.github.com/spec/v1; GIT_LFS_POINTER",
        "ARROW1; ARROW",
        "PAR1xx; PARQUET",
        "GGUFxxxx; GGUF",
        "BZh91AY; BZIP2",
        "<!DOCTYPE html><html>; HTML",
        "  <HTML lang=en>; HTML",
        "<?xml version='1.0'?><Error>; XML",
        "{\"error\": \"not found\"}; JSON",
        "[1, 2]; JSON",
        "0.1 0.2 0.3; UNKNOWN",
        "{}; UNKNOWN"
      })
  void of_text_isRecognised(String head, FileType expected) {
    assertThat(FileType.of(latin(head))).isEqualTo(expected);
  }

  @Test
  void of_signatures_areRecognised() throws IOException {
    assertThat(FileType.of(latin("\u0093NUMPY\u0001\u0000"))).isEqualTo(FileType.NPY);
    assertThat(FileType.of(latin("\u00ff\u00ff\u00ff\u00ff\u0090\u0001")))
        .isEqualTo(FileType.ARROW);
    assertThat(FileType.of(latin("\u0080\u0002\u008a\n"))).isEqualTo(FileType.PICKLE);
    assertThat(FileType.of(latin("\u0089HDF\r\n\u001a\n"))).isEqualTo(FileType.HDF5);
    assertThat(FileType.of(latin("(\u00b5/\u00fd"))).isEqualTo(FileType.ZSTD);
    assertThat(FileType.of(latin("\u00fd7zXZ\u0000"))).isEqualTo(FileType.XZ);
    assertThat(FileType.of(latin("x".repeat(257) + "ustar"))).isEqualTo(FileType.TAR);
    ByteArrayOutputStream gzip = new ByteArrayOutputStream();
    new GZIPOutputStream(gzip).close();
    assertThat(FileType.of(gzip.toByteArray())).isEqualTo(FileType.GZIP);
  }

  @ParameterizedTest
  @CsvSource({"arr_0.npy, NPZ", "archive/data.pkl, TORCH_ZIP", "notes.txt, ZIP"})
  void of_zip_isToldByItsFirstEntry(String entry, FileType expected) throws IOException {
    assertThat(FileType.of(zip(entry))).isEqualTo(expected);
  }

  @Test
  void of_safetensors_isToldByLengthAndBrace() {
    ByteBuffer head = ByteBuffer.allocate(20).order(ByteOrder.LITTLE_ENDIAN).putLong(12);
    head.put(latin("{\"a\":{}}"));
    assertThat(FileType.of(head.array())).isEqualTo(FileType.SAFETENSORS);
  }

  @Test
  void of_truncatedHeads_doNotFail() throws IOException {
    byte[] zip = zip("archive/data.pkl");
    for (int length = 1; length < zip.length; length++) {
      byte[] head = Arrays.copyOf(zip, length);
      assertThat(FileType.of(head)).isIn(FileType.UNKNOWN, FileType.ZIP, FileType.TORCH_ZIP);
    }
  }

  @Test
  void of_file_readsItsHead(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("acts.npy");
    Files.write(file, zip("x.npy"));
    assertThat(FileType.of(file)).isEqualTo(FileType.NPZ);
    assertThat(FileType.NPZ.problem().orElseThrow()).contains("NumPy archive", "np.save");
    assertThat(FileType.GIT_LFS_POINTER.problem().orElseThrow()).contains("git lfs pull");
    assertThat(FileType.UNKNOWN.problem()).isEmpty();
    assertThat(FileType.of(new byte[0])).isEqualTo(FileType.EMPTY);
  }
}
