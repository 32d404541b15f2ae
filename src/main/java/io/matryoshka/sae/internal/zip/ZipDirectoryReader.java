package io.matryoshka.sae.internal.zip;

import io.matryoshka.sae.store.ByteSource;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Finds the table of contents of an archive at its end, in both kinds: zip and zip64. */
final class ZipDirectoryReader {

  /** The largest table that is read, in bytes. */
  static final int MAX_TABLE_BYTES = 4 << 20;

  /** The most members that are read. */
  static final int MAX_MEMBERS = 20_000;

  private static final int END_SIGNATURE = 0x06054b50;
  private static final int END_BYTES = 22;
  private static final int MAX_COMMENT_BYTES = 0xffff;
  private static final int LOCATOR_SIGNATURE = 0x07064b50;
  private static final int LOCATOR_BYTES = 20;
  private static final int END64_SIGNATURE = 0x06064b50;
  private static final int END64_BYTES = 56;
  private static final int IN_ZIP64_16 = 0xffff;
  private static final long IN_ZIP64_32 = 0xffffffffL;

  private final ByteSource source;

  /** Where the table must end: at the first of the records that follow it. */
  private long tableEnd;

  private long members;
  private long tableBytes;
  private long tablePosition;

  ZipDirectoryReader(ByteSource source) {
    this.source = source;
  }

  /** Reads the bytes of the table. */
  ByteBuffer read() throws IOException {
    readEnd();
    readEnd64();
    if (members > MAX_MEMBERS || tableBytes > MAX_TABLE_BYTES) {
      throw fault(
          "has %d members and a table of %d bytes; at most %d and %d are read"
              .formatted(members, tableBytes, MAX_MEMBERS, MAX_TABLE_BYTES));
    }
    if (tablePosition < 0 || tableBytes < 0 || tablePosition + tableBytes != tableEnd) {
      throw fault(
          ("the table of contents is said to lie at %d with %d bytes, but it must end at byte %d;"
                  + " the file is damaged, or something was added before or after the archive")
              .formatted(tablePosition, tableBytes, tableEnd));
    }
    return bytes(tablePosition, (int) tableBytes);
  }

  long tablePosition() {
    return tablePosition;
  }

  long members() {
    return members;
  }

  private void readEnd() throws IOException {
    int tailBytes = (int) Math.min(source.size(), END_BYTES + MAX_COMMENT_BYTES);
    ByteBuffer tail = bytes(source.size() - tailBytes, tailBytes);
    for (int at = tailBytes - END_BYTES; at >= 0; at--) {
      boolean endsHere =
          tail.getInt(at) == END_SIGNATURE
              && at + END_BYTES + (tail.getShort(at + 20) & 0xffff) == tailBytes;
      if (endsHere) {
        readEnd(tail, at, source.size() - tailBytes + at);
        return;
      }
    }
    throw fault("is no zip archive, or its end is missing: the record that ends one was not found");
  }

  private void readEnd(ByteBuffer tail, int at, long position) throws ZipFormatException {
    int disk = tail.getShort(at + 4) & 0xffff;
    int tableDisk = tail.getShort(at + 6) & 0xffff;
    int onDisk = tail.getShort(at + 8) & 0xffff;
    members = tail.getShort(at + 10) & 0xffff;
    tableBytes = tail.getInt(at + 12) & IN_ZIP64_32;
    tablePosition = tail.getInt(at + 16) & IN_ZIP64_32;
    tableEnd = position;
    boolean oneDisk = (disk == 0 || disk == IN_ZIP64_16) && disk == tableDisk;
    if (!oneDisk || onDisk != members) {
      throw fault("is one part of an archive of several files, which is not read");
    }
  }

  private void readEnd64() throws IOException {
    boolean needed =
        members == IN_ZIP64_16 || tableBytes == IN_ZIP64_32 || tablePosition == IN_ZIP64_32;
    long locatorPosition = tableEnd - LOCATOR_BYTES;
    if (locatorPosition < 0 || int32(locatorPosition) != LOCATOR_SIGNATURE) {
      if (needed) {
        throw fault("says that it is a zip64 archive, but the record of that is missing");
      }
      return;
    }
    ByteBuffer locator = bytes(locatorPosition, LOCATOR_BYTES);
    long position = locator.getLong(8);
    if (position < 0 || position > locatorPosition - END64_BYTES) {
      throw fault("its zip64 record is said to lie at byte " + position + ", beyond its place");
    }
    ByteBuffer end = bytes(position, END64_BYTES);
    long recordBytes = end.getLong(4) + 12;
    if (end.getInt(0) != END64_SIGNATURE || position + recordBytes != locatorPosition) {
      throw fault("its zip64 record is malformed");
    }
    if (end.getInt(16) != 0 || end.getInt(20) != 0 || end.getLong(24) != end.getLong(32)) {
      throw fault("is one part of an archive of several files, which is not read");
    }
    members = agreed(members, IN_ZIP64_16, end.getLong(32), "number of members");
    tableBytes = agreed(tableBytes, IN_ZIP64_32, end.getLong(40), "size of the table");
    tablePosition = agreed(tablePosition, IN_ZIP64_32, end.getLong(48), "place of the table");
    tableEnd = position;
  }

  private long agreed(long small, long saturated, long large, String what)
      throws ZipFormatException {
    if (large < 0 || (small != saturated && small != large)) {
      throw fault("gives two values for the " + what + ": " + small + " and " + large);
    }
    return large;
  }

  private int int32(long position) throws IOException {
    return bytes(position, Integer.BYTES).getInt(0);
  }

  private ByteBuffer bytes(long position, int length) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    try {
      source.readFully(position, bytes);
    } catch (EOFException e) {
      throw new ZipFormatException(source.name() + ": has become shorter while it was read", e);
    }
    return bytes.flip();
  }

  private ZipFormatException fault(String message) {
    return new ZipFormatException(source.name() + ": " + message);
  }
}
