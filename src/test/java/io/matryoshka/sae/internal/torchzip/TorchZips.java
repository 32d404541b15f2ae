package io.matryoshka.sae.internal.torchzip;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Puts a pickle and storages into an archive. */
final class TorchZips {

  private TorchZips() {}

  static Path write(Path file, byte[] pickle, Map<String, byte[]> storages) throws IOException {
    Map<String, byte[]> members = new LinkedHashMap<>();
    members.put("archive/data.pkl", pickle);
    members.put("archive/byteorder", "little".getBytes());
    storages.forEach((key, bytes) -> members.put("archive/data/" + key, bytes));
    return writeMembers(file, members, ZipEntry.STORED);
  }

  static Path writeMembers(Path file, Map<String, byte[]> members, int method) throws IOException {
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
      for (Map.Entry<String, byte[]> member : members.entrySet()) {
        ZipEntry entry = new ZipEntry(member.getKey());
        entry.setMethod(method);
        CRC32 sum = new CRC32();
        sum.update(member.getValue());
        if (method == ZipEntry.STORED) {
          entry.setSize(member.getValue().length);
          entry.setCompressedSize(member.getValue().length);
          entry.setCrc(sum.getValue());
        }
        zip.putNextEntry(entry);
        zip.write(member.getValue());
        zip.closeEntry();
      }
    }
    return file;
  }

  static byte[] floats(float... values) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      bytes.putFloat(value);
    }
    return bytes.array();
  }
}
