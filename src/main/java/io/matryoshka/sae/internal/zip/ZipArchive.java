package io.matryoshka.sae.internal.zip;

import io.matryoshka.sae.store.ByteSource;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32;

/**
 * A zip archive that is open for reading by position. Both kinds (zip and zip64) are read, with
 * members that are stored or deflated. May be used by many threads at the same time.
 */
public final class ZipArchive implements Closeable {

  private static final int HEADER_SIGNATURE = 0x04034b50;

  private final ByteSource source;
  private final Map<String, ZipMember> members;
  private final List<UnpackedMember> unpacked = new ArrayList<>();

  private ZipArchive(ByteSource source, Map<String, ZipMember> members) {
    this.source = source;
    this.members = members;
  }

  /**
   * Reads the table of contents of an archive.
   *
   * @param source the bytes, closed with the archive
   * @return the archive, to be closed by the caller
   * @throws ZipFormatException if the archive is malformed or holds what is not read
   * @throws IOException if the bytes cannot be read
   */
  public static ZipArchive open(ByteSource source) throws IOException {
    ZipDirectoryReader reader = new ZipDirectoryReader(source);
    ByteBuffer table = reader.read();
    return new ZipArchive(
        source,
        ZipTableParser.parse(source.name(), table, reader.tablePosition(), reader.members()));
  }

  /**
   * Returns the name for messages.
   *
   * @return the name of the source
   */
  public String name() {
    return source.name();
  }

  /**
   * Lists the members.
   *
   * @return an unmodifiable collection in the order of the table of contents
   */
  public Collection<ZipMember> members() {
    return List.copyOf(members.values());
  }

  /**
   * Looks a member up.
   *
   * @param name its full name
   * @return the member, or empty if there is none of that name
   */
  public Optional<ZipMember> find(String name) {
    return Optional.ofNullable(members.get(name));
  }

  /**
   * The bytes of a member: {@code size} bytes of a source from a position on.
   *
   * @param source the archive itself for a stored member, a temporary file for a deflated one
   * @param position the first byte
   */
  public record Content(ByteSource source, long position) {}

  /**
   * Finds the bytes of a member. A deflated one is unpacked at the first read, to a temporary file
   * that is deleted when the archive is closed.
   *
   * @param member a member of this archive
   * @return its bytes
   * @throws ZipFormatException if its header is malformed
   * @throws IOException if the header cannot be read
   */
  public Content content(ZipMember member) throws IOException {
    long position = position(member);
    if (!member.deflated()) {
      return new Content(source, position);
    }
    UnpackedMember bytes = new UnpackedMember(source, member, position);
    synchronized (unpacked) {
      unpacked.add(bytes);
    }
    return new Content(bytes, 0);
  }

  /**
   * Reads a small member and compares its checksum.
   *
   * @param member a member of this archive
   * @param limit the largest size in bytes that the caller takes
   * @return all its bytes
   * @throws ZipFormatException if the member is larger or damaged
   * @throws IOException if the bytes cannot be read
   */
  public byte[] readAll(ZipMember member, int limit) throws IOException {
    if (member.size() > limit) {
      throw new ZipFormatException(
          "%s: member '%s' has %d bytes, at most %d are read"
              .formatted(name(), member.name(), member.size(), limit));
    }
    ByteBuffer bytes = ByteBuffer.allocate((int) member.size());
    long position = position(member);
    if (member.deflated()) {
      try (Inflation inflation = new Inflation(source, member, position)) {
        while (inflation.read(bytes)) {
          continue;
        }
      }
    } else {
      source.readFully(position, bytes);
      CRC32 sum = new CRC32();
      sum.update(bytes.array());
      Inflation.requireSum(sum, member, name());
    }
    return bytes.array();
  }

  /**
   * Reads the first bytes of a member, without comparing its checksum.
   *
   * @param member a member of this archive
   * @param limit the most bytes to read
   * @return the first bytes, all if the member is not longer
   * @throws ZipFormatException if the member is damaged
   * @throws IOException if the bytes cannot be read
   */
  public byte[] readStart(ZipMember member, int limit) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate((int) Math.min(limit, member.size()));
    long position = position(member);
    if (member.deflated()) {
      try (Inflation inflation = new Inflation(source, member, position)) {
        while (bytes.hasRemaining() && inflation.read(bytes)) {
          continue;
        }
      }
    } else {
      source.readFully(position, bytes);
    }
    return bytes.array();
  }

  /** Reads the member's own header, which must agree with the table. */
  private long position(ZipMember member) throws IOException {
    byte[] name = member.name().getBytes(StandardCharsets.UTF_8);
    int length = ZipTableParser.HEADER_BYTES + name.length;
    if (member.limit() - member.headerPosition() < length) {
      throw fault(member, "overlaps the next one");
    }
    ByteBuffer header = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    try {
      source.readFully(member.headerPosition(), header);
    } catch (EOFException e) {
      throw new ZipFormatException(name() + ": has become shorter since it was opened", e);
    }
    boolean agrees =
        header.getInt(0) == HEADER_SIGNATURE
            && (header.getShort(8) == 8) == member.deflated()
            && (header.getShort(26) & 0xffff) == name.length
            && ByteBuffer.wrap(name).equals(header.slice(ZipTableParser.HEADER_BYTES, name.length));
    if (!agrees) {
      throw fault(member, "has a header that disagrees with the table of contents");
    }
    long position = member.headerPosition() + length + (header.getShort(28) & 0xffff);
    if (member.storedSize() > member.limit() - position) {
      throw fault(member, "ends beyond its place");
    }
    return position;
  }

  private ZipFormatException fault(ZipMember member, String message) {
    return new ZipFormatException(name() + ": member '" + member.name() + "' " + message);
  }

  /** Closes the source and deletes what was unpacked. A second call does nothing. */
  @Override
  public void close() throws IOException {
    synchronized (unpacked) {
      for (UnpackedMember file : unpacked) {
        file.close();
      }
    }
    source.close();
  }
}
