package io.matryoshka.sae.internal.zip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.matryoshka.sae.internal.io.FileBytes;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Archives written by the JDK, and bytes put together here. */
class ZipArchiveTest {

  private static final byte[] DATA = "0123456789".repeat(20).getBytes(StandardCharsets.US_ASCII);
  private static final int END_BYTES = 22;

  @TempDir private Path folder;

  private static byte[] archive(int method, String... names) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      for (String name : names) {
        ZipEntry entry = new ZipEntry(name);
        entry.setMethod(method);
        if (method == ZipEntry.STORED) {
          CRC32 sum = new CRC32();
          sum.update(DATA);
          entry.setCrc(sum.getValue());
          entry.setSize(DATA.length);
        }
        zip.putNextEntry(entry);
        zip.write(DATA);
        zip.closeEntry();
      }
    }
    return bytes.toByteArray();
  }

  private ZipArchive open(byte[] bytes) throws IOException {
    return ZipArchive.open(FileBytes.open(Files.write(folder.resolve("a.zip"), bytes)));
  }

  private void assertRefused(byte[] bytes, String message) {
    assertThatThrownBy(
            () -> {
              try (ZipArchive archive = open(bytes)) {
                for (ZipMember member : archive.members()) {
                  archive.readAll(member, 1 << 20);
                }
              }
            })
        .isInstanceOf(ZipFormatException.class)
        .hasMessageContaining("a.zip")
        .hasMessageContaining(message);
  }

  private static byte[] changed(byte[] bytes, Consumer<ByteBuffer> change) {
    byte[] copy = bytes.clone();
    change.accept(ByteBuffer.wrap(copy).order(ByteOrder.LITTLE_ENDIAN));
    return copy;
  }

  /** The place of the first entry of the table of contents. */
  private static int table(byte[] bytes) {
    return ByteBuffer.wrap(bytes)
        .order(ByteOrder.LITTLE_ENDIAN)
        .getInt(bytes.length - END_BYTES + 16);
  }

  @ParameterizedTest
  @ValueSource(ints = {ZipEntry.STORED, ZipEntry.DEFLATED})
  void member_isReadByPosition(int method) throws IOException {
    try (ZipArchive archive = open(archive(method, "a", "b/c"))) {
      ZipMember member = archive.find("b/c").orElseThrow();
      assertThat(archive.readAll(member, 1 << 20)).isEqualTo(DATA);
      ZipArchive.Content content = archive.content(member);
      ByteBuffer part = ByteBuffer.allocate(5);
      content.source().readFully(content.position() + 11, part);
      assertThat(part.array()).asString(StandardCharsets.US_ASCII).isEqualTo("12345");
      assertThat(archive.readStart(member, 3)).asString(StandardCharsets.US_ASCII).isEqualTo("012");
    }
  }

  @Test
  void archive_ofZip64_isRead() throws IOException {
    byte[] small = archive(ZipEntry.STORED, "a");
    int table = table(small);
    int tableBytes = small.length - END_BYTES - table;
    ByteBuffer large =
        ByteBuffer.allocate(small.length + 56 + 20 + 28).order(ByteOrder.LITTLE_ENDIAN);
    large.put(small, 0, table + tableBytes);
    large.putInt(table + 20, -1).putInt(table + 24, -1).putInt(table + 42, -1);
    large.putShort(table + 30, (short) 28);
    large.putShort((short) 1).putShort((short) 24);
    large.putLong(DATA.length).putLong(DATA.length).putLong(0);
    int end64 = large.position();
    large.putInt(0x06064b50).putLong(44).putInt(0).putInt(0).putInt(0);
    large.putLong(1).putLong(1).putLong(tableBytes + 28).putLong(table);
    large.putInt(0x07064b50).putInt(0).putLong(end64).putInt(1);
    large.putInt(0x06054b50).putInt(0).putShort((short) -1).putShort((short) -1);
    large.putInt(-1).putInt(-1).putShort((short) 0);
    try (ZipArchive archive = open(large.array())) {
      assertThat(archive.readAll(archive.find("a").orElseThrow(), 1000)).isEqualTo(DATA);
    }
    assertRefused(changed(large.array(), b -> b.putLong(end64 + 40, 1)), "must end at byte");
    assertRefused(changed(large.array(), b -> b.putInt(end64, 0)), "zip64 record is malformed");
    assertRefused(
        changed(large.array(), b -> b.putInt(end64 + 56, 0)), "record of that is missing");
  }

  @ParameterizedTest
  @ValueSource(strings = {"../a", "/a", "a/../b", "a//b", "./a", "a\\b", "C:a", "a\0b"})
  void name_thatLeavesTheFolder_isRefused(String name) throws IOException {
    assertRefused(archive(ZipEntry.STORED, name), "leaves its folder");
  }

  @Test
  void names_givenTwice_areRefused() throws IOException {
    byte[] bytes = archive(ZipEntry.STORED, "a", "b");
    int second = table(bytes) + 46 + 1;
    assertRefused(changed(bytes, b -> b.put(second + 46, (byte) 'a')), "two members named 'a'");
  }

  @Test
  void members_thatOverlap_areRefused() throws IOException {
    byte[] bytes = archive(ZipEntry.STORED, "a", "b");
    int second = table(bytes) + 46 + 1;
    assertRefused(changed(bytes, b -> b.putInt(second + 42, 0)), "overlap");
  }

  @Test
  void member_beyondTheArchive_isRefused() throws IOException {
    byte[] bytes = archive(ZipEntry.STORED, "a");
    assertRefused(changed(bytes, b -> b.putInt(table(bytes) + 42, 0x7fffffff)), "beyond");
  }

  @Test
  void member_thatGrowsBeyondDeflate_isRefused() throws IOException {
    byte[] bytes = archive(ZipEntry.DEFLATED, "a");
    assertRefused(changed(bytes, b -> b.putInt(table(bytes) + 24, 0x7fffffff)), "not possible");
  }

  @Test
  void member_ofAnotherSizeThanItIsSaidToHave_isRefused() throws IOException {
    byte[] bytes = archive(ZipEntry.DEFLATED, "a");
    assertRefused(changed(bytes, b -> b.putInt(table(bytes) + 24, 100)), "more than the 100");
    assertRefused(changed(bytes, b -> b.putInt(table(bytes) + 24, 300)), "unpacks to 200");
  }

  @Test
  void member_damaged_isRefused() throws IOException {
    byte[] stored = archive(ZipEntry.STORED, "a");
    assertRefused(changed(stored, b -> b.put(40, (byte) 'x')), "checksum");
    byte[] packed = archive(ZipEntry.DEFLATED, "a");
    assertRefused(changed(packed, b -> b.put(31, (byte) 0xff)), "damaged");
  }

  @Test
  void header_thatDisagrees_isRefused() throws IOException {
    byte[] bytes = archive(ZipEntry.STORED, "a");
    assertRefused(changed(bytes, b -> b.put(30, (byte) 'z')), "disagrees");
    assertRefused(changed(bytes, b -> b.putShort(28, (short) 9)), "beyond its place");
  }

  @Test
  void member_encryptedOrPackedOtherwise_isRefused() throws IOException {
    byte[] bytes = archive(ZipEntry.STORED, "a");
    assertRefused(changed(bytes, b -> b.putShort(table(bytes) + 8, (short) 1)), "encrypted");
    assertRefused(changed(bytes, b -> b.putShort(table(bytes) + 10, (short) 14)), "method 14");
  }

  @Test
  void bytes_beforeOrAfterTheArchive_areRefused() throws IOException {
    byte[] bytes = archive(ZipEntry.STORED, "a");
    ByteBuffer longer = ByteBuffer.allocate(bytes.length + 1);
    assertRefused(longer.put(0, bytes).array(), "no zip archive");
    assertRefused(longer.put(1, bytes).array(), "must end at byte");
  }

  @Test
  void table_tooLarge_isRefused() throws IOException {
    byte[] bytes = archive(ZipEntry.STORED, "a");
    byte[] many =
        changed(
            bytes,
            b -> {
              b.putShort(bytes.length - END_BYTES + 8, (short) 30_000);
              b.putShort(bytes.length - END_BYTES + 10, (short) 30_000);
            });
    assertRefused(many, "at most 20000");
  }

  @Test
  void file_thatIsNoArchive_isRefused() {
    assertRefused(new byte[0], "no zip archive");
    assertRefused(new byte[1000], "no zip archive");
  }
}
