package io.matryoshka.sae.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Files and tensors beyond 2 GiB, as sparse files that take a few pages on the disk. */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "makes files of 3 GiB that are not sparse there")
class LargeFileTest {

  private static final long LARGE = 3L << 30;

  @TempDir private Path folder;
  private Path path;

  @BeforeEach
  void makeSparseFile() throws IOException {
    path = folder.resolve("large.safetensors");
    byte[] header =
        """
        {"large":{"dtype":"BF16","shape":[%d],"data_offsets":[0,%d]},
        "after":{"dtype":"F32","shape":[2],"data_offsets":[%d,%d]}}
        """
            .formatted(LARGE / 2, LARGE, LARGE, LARGE + 8)
            .getBytes(StandardCharsets.UTF_8);
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.write(new byte[] {(byte) header.length, 0, 0, 0, 0, 0, 0, 0});
      file.write(header);
      file.setLength(8 + header.length + LARGE + 8);
      file.seek(8 + header.length + LARGE - 2);
      file.write(new byte[] {(byte) 0x80, 0x3f}); // the last BF16 is 1
      file.write(new byte[] {0, 0, 0, 0x40, 0, 0, 0x40, 0x40}); // F32 2 and 3
    } catch (IOException e) {
      abort("this disk makes no sparse file of 3 GiB: " + e.getMessage());
    }
  }

  @Test
  void tensorBeyondTwoGiB_isMappedAndReadInPlace() throws Exception {
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      assertThat(file.readFloats("after")).containsExactly(2, 3);
      assertThat(file.map("after").getFloat(4)).isEqualTo(3);
    }
  }

  @Test
  void largeTensor_isReadInPartsBeyondTwoGiB() throws Exception {
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      float[] last = new float[3];
      file.readFloats("large", LARGE / 2 - 3, last);
      ByteBuffer tail = file.map("large", LARGE - 4, 4);

      assertThat(last).containsExactly(0, 0, 1);
      assertThat(tail.getShort(2)).isEqualTo((short) 0x3f80);
      assertThat(file.map("large", 1, Integer.MAX_VALUE).remaining()).isEqualTo(Integer.MAX_VALUE);
    }
  }

  @Test
  void largeTensor_asOneBuffer_isRefusedWithAdvice() throws Exception {
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      assertThatThrownBy(() -> file.map("large"))
          .isInstanceOf(SafetensorsException.class)
          .hasMessageContaining("too large for one buffer (3221225472 bytes, at most 2147483647)")
          .hasMessageContaining("map it in parts");
      assertThatThrownBy(() -> file.map("large", 0, LARGE))
          .isInstanceOf(IndexOutOfBoundsException.class)
          .hasMessageContaining("may have at most 2147483647 bytes, got 3221225472");
    }
  }
}
