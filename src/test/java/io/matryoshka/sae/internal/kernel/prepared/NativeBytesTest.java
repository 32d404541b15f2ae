package io.matryoshka.sae.internal.kernel.prepared;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

class NativeBytesTest {

  private static final int BYTES = 1_000_003;

  /** Stays, so that tests which count native arrays do not see it go. */
  private static final ByteBuffer VIEW = view();

  @Test
  void allocate_someBytes_areAlignedAndLittleEndian() {
    ByteBuffer bytes = NativeBytes.allocate(BYTES);
    assertThat(bytes.capacity()).isEqualTo(BYTES);
    assertThat(bytes.order()).isEqualTo(ByteOrder.LITTLE_ENDIAN);
    assertThat(NativeBytes.isAligned(bytes)).isTrue();
  }

  /** The memory must stay as long as a view of it does. */
  @Test
  void fromTorch_collectedButForAView_keepsItsContent() throws InterruptedException {
    for (int i = 0; i < 5; i++) {
      System.gc();
      Thread.sleep(20); // Buffers are freed by another thread.
      ByteBuffer.allocateDirect(BYTES).put(0, new byte[BYTES]);
    }
    byte[] content = new byte[VIEW.capacity()];
    VIEW.get(0, content);
    for (int i = 0; i < content.length; i++) {
      if (content[i] != (byte) (i + 7)) {
        assertThat(content[i]).as("byte %d", i).isEqualTo((byte) (i + 7));
      }
    }
  }

  private static ByteBuffer view() {
    ByteBuffer bytes = NativeBytes.fromTorch(BYTES);
    assertThat(bytes.capacity()).isEqualTo(BYTES);
    assertThat(NativeBytes.isAligned(bytes)).isTrue();
    for (int i = 0; i < BYTES; i++) {
      bytes.put(i, (byte) i);
    }
    return bytes.slice(7, BYTES - 7);
  }
}
