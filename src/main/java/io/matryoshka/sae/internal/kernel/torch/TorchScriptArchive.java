package io.matryoshka.sae.internal.kernel.torch;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Packs the source text of one TorchScript class, which holds no tensors, into the archive that
 * {@code torch::jit::load} reads: a zip of stored entries with the pickled (empty) module object,
 * the pickled (empty) constants, the format version and the code.
 */
public final class TorchScriptArchive {

  /** Oldest version that has the {@code code/} layout used here; newer engines read it. */
  public static final int OLDEST_VERSION = 3;

  /** Newest version of libtorch 2.7.1; the newer operators, such as tanh-GELU, need it. */
  public static final int NEWEST_VERSION = 10;

  private static final String ROOT = "kernels/";

  /** Pickle protocol 2 of an empty tuple. */
  private static final byte[] NO_CONSTANTS = {(byte) 0x80, 2, ')', '.'};

  private TorchScriptArchive() {}

  /**
   * Builds the archive.
   *
   * @param className name of the class in {@code source}
   * @param source serialised TorchScript of that class, whose only attribute is {@code training}
   * @param version version of the archive, which says what operators the source may call
   * @return the bytes of the archive
   */
  public static byte[] of(String className, String source, int version) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      zip.setMethod(ZipOutputStream.STORED);
      put(zip, "data.pkl", module(className));
      put(zip, "constants.pkl", NO_CONSTANTS);
      put(zip, "version", (version + "\n").getBytes(StandardCharsets.US_ASCII));
      put(zip, "code/__torch__.py", source.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new IllegalStateException("writing a zip to memory failed", e);
    }
    return bytes.toByteArray();
  }

  /** Pickle protocol 2 of {@code __torch__.<className>} with the state {@code training=False}. */
  private static byte[] module(String className) {
    ByteArrayOutputStream pickle = new ByteArrayOutputStream();
    pickle.writeBytes(new byte[] {(byte) 0x80, 2});
    pickle.writeBytes(("c__torch__\n" + className + "\n").getBytes(StandardCharsets.US_ASCII));
    pickle.writeBytes(new byte[] {')', (byte) 0x81, '}', '('});
    byte[] attribute = "training".getBytes(StandardCharsets.US_ASCII);
    pickle.writeBytes(new byte[] {'X', (byte) attribute.length, 0, 0, 0});
    pickle.writeBytes(attribute);
    pickle.writeBytes(new byte[] {(byte) 0x89, 'u', 'b', '.'});
    return pickle.toByteArray();
  }

  private static void put(ZipOutputStream zip, String name, byte[] content) throws IOException {
    CRC32 crc = new CRC32();
    crc.update(content);
    ZipEntry entry = new ZipEntry(ROOT + name);
    entry.setSize(content.length);
    entry.setCrc(crc.getValue());
    zip.putNextEntry(entry);
    zip.write(content);
    zip.closeEntry();
  }
}
