package io.matryoshka.sae.internal.zip;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Parses the table of contents and checks every entry of it. */
final class ZipTableParser {

  private static final int ENTRY_SIGNATURE = 0x02014b50;
  private static final int ENTRY_BYTES = 46;

  /** The least that a member takes before its bytes: its own header without a name. */
  static final int HEADER_BYTES = 30;

  private static final int ENCRYPTED = 1;
  private static final int STORED = 0;
  private static final int DEFLATED = 8;
  private static final int ZIP64_FIELD = 1;
  private static final long IN_ZIP64 = 0xffffffffL;

  /** Deflate shrinks bytes at most by this factor. */
  private static final long MAX_RATIO = 1032;

  private final String archive;
  private final ByteBuffer table;
  private final long tablePosition;
  private final Map<String, ZipMember> members = new LinkedHashMap<>();

  private ZipTableParser(String archive, ByteBuffer table, long tablePosition) {
    this.archive = archive;
    this.table = table;
    this.tablePosition = tablePosition;
  }

  /** Returns the members in the order of the table. */
  static Map<String, ZipMember> parse(
      String archive, ByteBuffer table, long tablePosition, long count) throws ZipFormatException {
    ZipTableParser parser = new ZipTableParser(archive, table, tablePosition);
    for (long i = 0; i < count; i++) {
      parser.parseEntry();
    }
    if (table.hasRemaining()) {
      throw parser.fault("its table of contents has bytes after the last member");
    }
    parser.setLimits();
    return parser.members;
  }

  private void parseEntry() throws ZipFormatException {
    int at = table.position();
    if (table.remaining() < ENTRY_BYTES || table.getInt(at) != ENTRY_SIGNATURE) {
      throw fault("its table of contents is malformed at member " + members.size());
    }
    int nameBytes = table.getShort(at + 28) & 0xffff;
    int extraBytes = table.getShort(at + 30) & 0xffff;
    int commentBytes = table.getShort(at + 32) & 0xffff;
    if (table.remaining() - ENTRY_BYTES < nameBytes + extraBytes + commentBytes) {
      throw fault("its table of contents ends within member " + members.size());
    }
    String name = name(table.slice(at + ENTRY_BYTES, nameBytes));
    int flags = table.getShort(at + 8);
    int method = table.getShort(at + 10) & 0xffff;
    requireReadable(name, flags, method);
    ZipMember member = member(name, method, at, at + ENTRY_BYTES + nameBytes, extraBytes);
    requirePlausible(member);
    if (members.put(name, member) != null) {
      throw fault("holds two members named '" + name + "'");
    }
    table.position(at + ENTRY_BYTES + nameBytes + extraBytes + commentBytes);
  }

  private ZipMember member(String name, int method, int at, int extra, int extraBytes)
      throws ZipFormatException {
    long size = table.getInt(at + 24) & IN_ZIP64;
    long storedSize = table.getInt(at + 20) & IN_ZIP64;
    long position = table.getInt(at + 42) & IN_ZIP64;
    if (size == IN_ZIP64 || storedSize == IN_ZIP64 || position == IN_ZIP64) {
      ByteBuffer large = zip64Field(name, extra, extraBytes);
      size = wide(size, large, name);
      storedSize = wide(storedSize, large, name);
      position = wide(position, large, name);
    }
    long crc32 = table.getInt(at + 16) & 0xffffffffL;
    return new ZipMember(name, method == DEFLATED, crc32, storedSize, size, position, 0);
  }

  private ByteBuffer zip64Field(String name, int begin, int length) throws ZipFormatException {
    int at = begin;
    int end = begin + length;
    while (end - at >= 4) {
      int id = table.getShort(at) & 0xffff;
      int size = table.getShort(at + 2) & 0xffff;
      if (size > end - at - 4) {
        break;
      }
      if (id == ZIP64_FIELD) {
        return table.slice(at + 4, size).order(table.order());
      }
      at += 4 + size;
    }
    throw fault("member '" + name + "' lacks the zip64 field with its sizes");
  }

  private long wide(long small, ByteBuffer large, String name) throws ZipFormatException {
    if (small != IN_ZIP64) {
      return small;
    }
    if (large.remaining() < Long.BYTES) {
      throw fault("member '" + name + "' has a zip64 field that is too short");
    }
    return large.getLong();
  }

  private void requireReadable(String name, int flags, int method) throws ZipFormatException {
    if ((flags & ENCRYPTED) != 0) {
      throw fault("member '" + name + "' is encrypted, which is not read");
    }
    if (method != STORED && method != DEFLATED) {
      throw fault(
          "member '"
              + name
              + "' is packed by method "
              + method
              + "; only stored (0) and deflated (8) members are read");
    }
  }

  private void requirePlausible(ZipMember member) throws ZipFormatException {
    boolean inside =
        member.size() >= 0
            && member.storedSize() >= 0
            && member.headerPosition() >= 0
            && member.headerPosition() <= tablePosition - HEADER_BYTES
            && member.storedSize() <= tablePosition - HEADER_BYTES - member.headerPosition();
    if (!inside) {
      throw fault(
          "member '%s' is said to lie at byte %d with %d bytes, beyond the %d bytes of the members"
              .formatted(
                  member.name(), member.headerPosition(), member.storedSize(), tablePosition));
    }
    boolean sizesFit =
        member.deflated()
            ? member.size() / MAX_RATIO <= member.storedSize()
            : member.size() == member.storedSize();
    if (!sizesFit) {
      throw fault(
          "member '%s' is said to have %d bytes out of %d, which is not possible"
              .formatted(member.name(), member.size(), member.storedSize()));
    }
  }

  /** Members may not share bytes: a small archive could then unpack to any size. */
  private void setLimits() throws ZipFormatException {
    List<ZipMember> byPosition = new ArrayList<>(members.values());
    byPosition.sort(Comparator.comparingLong(ZipMember::headerPosition));
    for (int i = 0; i < byPosition.size(); i++) {
      ZipMember member = byPosition.get(i);
      boolean last = i == byPosition.size() - 1;
      long limit = last ? tablePosition : byPosition.get(i + 1).headerPosition();
      if (limit - member.headerPosition() - HEADER_BYTES < member.storedSize()) {
        throw fault(
            "members '%s' and '%s' overlap"
                .formatted(member.name(), byPosition.get(i + (last ? 0 : 1)).name()));
      }
      members.put(member.name(), member.before(limit));
    }
  }

  private String name(ByteBuffer bytes) throws ZipFormatException {
    String name;
    try {
      name = StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
    } catch (CharacterCodingException e) {
      throw new ZipFormatException(archive + ": the name of a member is not UTF-8", e);
    }
    String inner = name.endsWith("/") ? name.substring(0, name.length() - 1) : name;
    boolean unsafe = name.chars().anyMatch(c -> c < ' ' || c == '\\' || c == ':' || c == 0x7f);
    for (String part : inner.split("/", -1)) {
      unsafe |= part.isEmpty() || part.equals(".") || part.equals("..");
    }
    if (unsafe) {
      throw fault(
          "the name of a member leaves its folder or is no relative path: '"
              + name.replaceAll("\\p{Cntrl}", "?")
              + "'");
    }
    return name;
  }

  private ZipFormatException fault(String message) {
    return new ZipFormatException(archive + ": " + message);
  }
}
