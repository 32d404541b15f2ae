package io.matryoshka.sae.internal.torchzip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every way in which a pickle may be hostile is refused soon and with little memory. */
class HostilePickleTest {

  private static final long MAX_BYTES = 64L << 20;
  private static final long MAX_NANOS = 20_000_000_000L;

  @TempDir private Path folder;

  private void assertRefused(byte[] pickle, String message) throws IOException {
    assertRefused(pickle, Map.of("0", TorchZips.floats(1, 2, 3, 4)), message);
  }

  private void assertRefused(byte[] pickle, Map<String, byte[]> storages, String message)
      throws IOException {
    assertRefused(TorchZips.write(folder.resolve("ae.pt"), pickle, storages), message);
  }

  private void assertRefused(Path path, String message) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long bytes = threads.getCurrentThreadAllocatedBytes();
    long start = System.nanoTime();
    assertThatThrownBy(() -> TorchZipFile.open(path).close())
        .isInstanceOf(IOException.class)
        .hasMessageContaining(path.toString())
        .hasMessageContaining(message);
    assertThat(System.nanoTime() - start).as("nanoseconds").isLessThan(MAX_NANOS);
    assertThat(threads.getCurrentThreadAllocatedBytes() - bytes).as("bytes").isLessThan(MAX_BYTES);
  }

  @Test
  void call_ofASystemCommand_isRefusedByName() throws IOException {
    byte[] pickle = new PickleWriter().name("os", "system").text("touch x").raw(0x85, 'R').end();
    assertRefused(pickle, "asks for os.system");
  }

  @Test
  void call_byStackGlobal_isRefusedByName() throws IOException {
    byte[] pickle = new PickleWriter().text("builtins").text("eval").raw(0x93).end();
    assertRefused(pickle, "asks for builtins.eval");
  }

  @ParameterizedTest
  @ValueSource(
      ints = {
        'i', 'o', 'I', 'L', 'S', 'F', 'd', 'l', '0', '2', 'p', 'P', 0x81, 0x82, 0x8b, 0x8f, 0x92,
        0x96
      })
  void opcode_outsideTheList_isRefused(int opcode) throws IOException {
    assertRefused(
        new PickleWriter().raw('}').raw(opcode).raw(new int[64]).end(),
        "opcode 0x%02x".formatted(opcode));
  }

  @Test
  void shape_beyondItsStorage_isRefused() throws IOException {
    byte[] pickle = tensor("FloatStorage", 4, 0, new long[] {5}, new long[] {1});
    assertRefused(pickle, "its storage, which has 16");
  }

  @Test
  void shape_thatOverflows_isRefused() throws IOException {
    long huge = 1L << 40;
    assertRefused(
        tensor("FloatStorage", 4, 0, new long[] {huge, huge}, new long[] {huge, 1}), "overflow");
  }

  @Test
  void shape_thatRepeatsWithoutEnd_isRefused() throws IOException {
    assertRefused(tensor("FloatStorage", 4, 0, new long[] {1L << 40}, new long[] {0}), "repeats");
  }

  @Test
  void shape_negative_isRefused() throws IOException {
    assertRefused(tensor("FloatStorage", 4, 0, new long[] {-1}, new long[] {1}), "negative");
  }

  @Test
  void stride_negative_isRefused() throws IOException {
    assertRefused(tensor("FloatStorage", 4, 3, new long[] {4}, new long[] {-1}), "negative");
  }

  @Test
  void offset_beyondTheFile_isRefused() throws IOException {
    assertRefused(
        tensor("FloatStorage", 4, Long.MAX_VALUE, new long[] {1}, new long[] {1}), "overflow");
    assertRefused(tensor("FloatStorage", 4, 4, new long[] {1}, new long[] {1}), "storage");
    assertRefused(tensor("FloatStorage", 4, -1, new long[] {1}, new long[] {1}), "storage");
  }

  @Test
  void storage_ofAnotherSizeThanItsMember_isRefused() throws IOException {
    assertRefused(tensor("FloatStorage", 1L << 61, 0, new long[] {1}, new long[] {1}), "16 bytes");
    assertRefused(tensor("FloatStorage", 3, 0, new long[] {1}, new long[] {1}), "16 bytes");
  }

  @ParameterizedTest
  @ValueSource(strings = {"1", "../0", "/etc/passwd", "..\\0"})
  void storage_ofAMemberThatIsNotThere_isRefused(String key) throws IOException {
    byte[] pickle =
        PickleWriter.dictionary()
            .text("t")
            .tensor("FloatStorage", key, 4, 0, new long[] {4}, new long[] {1})
            .endDictionary();
    assertRefused(pickle, "is missing");
  }

  @Test
  void storage_ofUnknownType_isRefusedByName() throws IOException {
    byte[] pickle =
        PickleWriter.dictionary()
            .text("t")
            .tensor("ComplexFloatStorage", "0", 4, 0, new long[] {4}, new long[] {1})
            .endDictionary();
    assertRefused(pickle, "torch.ComplexFloatStorage");
  }

  @Test
  void names_givenTwice_areRefused() throws IOException {
    byte[] pickle = PickleWriter.dictionary().text("t").whole(1).text("t").whole(2).endDictionary();
    assertRefused(pickle, "names 't' twice");
  }

  @Test
  void text_longerThanThePickle_isRefused() throws IOException {
    assertRefused(new PickleWriter().raw('X').int32(-1).end(), "text of 4294967295 bytes");
  }

  @Test
  void pickle_withTooManyValues_isRefused() throws IOException {
    int[] many = new int[900_000];
    for (int opcode : new int[] {'}', ']', 'N', '('}) {
      Arrays.fill(many, opcode);
      assertRefused(new PickleWriter().raw(many).end(), "which is the limit");
    }
  }

  @Test
  void memo_filledByOneValue_isRefused() throws IOException {
    PickleWriter writer = new PickleWriter().raw('N');
    for (int i = 0; i < 150_000; i++) {
      writer.raw('r').int32(i);
    }
    assertRefused(writer.end(), "which is the limit");
  }

  @Test
  void tuples_nestedInThemselves_areRefusedWithoutUnfolding() throws IOException {
    PickleWriter writer = new PickleWriter().raw(')');
    for (int i = 0; i < 20_000; i++) {
      writer.raw('q', 0, 'h', 0, 0x86);
    }
    assertRefused(writer.end(), "no tensor");
  }

  @Test
  void list_thatHoldsItself_isRefusedWithoutEnd() throws IOException {
    assertRefused(new PickleWriter().raw(']', 'q', 0, 'h', 0, 'a').end(), "no tensor");
  }

  @Test
  void pickle_withoutItsEnd_isRefused() throws IOException {
    assertRefused(new byte[] {(byte) 0x80, 2, '}'}, "ends within");
    assertRefused(new byte[] {(byte) 0x80, 2, 'J', 1}, "ends within");
    assertRefused(new byte[0], "ends within");
  }

  @Test
  void stack_emptied_isRefused() throws IOException {
    for (int opcode : new int[] {'t', 'u', 's', 'a', 'e', 'Q', 'R', 'b', 'q', 0x85, 0x93}) {
      assertRefused(new PickleWriter().raw(opcode, 0).end(), "malformed pickle");
    }
  }

  @Test
  void pickle_ofHugeSize_isRefused() throws IOException {
    Map<String, byte[]> members = new LinkedHashMap<>();
    members.put("x/data.pkl", new byte[200 << 20]);
    Path path = TorchZips.writeMembers(folder.resolve("ae.pt"), members, ZipEntry.DEFLATED);
    assertRefused(path, "at most 1048576 are read");
  }

  @Test
  void storage_thatUnpacksToMuch_isNotUnpackedAtOpening() throws IOException {
    Map<String, byte[]> members = new LinkedHashMap<>();
    byte[] pickle =
        PickleWriter.dictionary()
            .text("t")
            .tensor("FloatStorage", "0", 50 << 20, 0, new long[] {50 << 20}, new long[] {1})
            .text("os")
            .name("os", "system")
            .endDictionary();
    members.put("x/data.pkl", pickle);
    members.put("x/data/0", new byte[200 << 20]);
    Path path = TorchZips.writeMembers(folder.resolve("ae.pt"), members, ZipEntry.DEFLATED);
    assertRefused(path, "os.system");
  }

  @Test
  void archive_withTwoPickles_isRefused() throws IOException {
    Map<String, byte[]> members = new HashMap<>();
    members.put("a/data.pkl", new PickleWriter().raw('}').end());
    members.put("b/data.pkl", new PickleWriter().raw('}').end());
    assertRefused(
        TorchZips.writeMembers(folder.resolve("ae.pt"), members, ZipEntry.STORED), "2 members");
  }

  private static byte[] tensor(String type, long count, long offset, long[] shape, long[] strides) {
    return PickleWriter.dictionary()
        .text("t")
        .tensor(type, "0", count, offset, shape, strides)
        .endDictionary();
  }
}
