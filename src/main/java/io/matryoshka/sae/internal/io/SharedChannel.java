package io.matryoshka.sae.internal.io;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;

/**
 * A file that many threads read at the same time. Java closes a {@link FileChannel} for all when
 * one of its readers is interrupted; this one is then opened again, the reads are repeated, and the
 * interrupted thread stays interrupted.
 */
final class SharedChannel implements Closeable {

  private final Path path;
  private final Identity identity;
  private volatile FileChannel channel;
  private volatile boolean closed;

  /** What tells a file from another one under its name; the key is null where a system has none. */
  private record Identity(Object key, long size, FileTime time) {

    static Identity of(Path path) throws IOException {
      BasicFileAttributes found = Files.readAttributes(path, BasicFileAttributes.class);
      return new Identity(found.fileKey(), found.size(), found.lastModifiedTime());
    }
  }

  /** Reads from the channel; repeated from the begin if the channel was closed meanwhile. */
  @FunctionalInterface
  interface Operation<T> {
    T on(FileChannel channel) throws IOException;
  }

  private SharedChannel(Path path, Identity identity, FileChannel channel) {
    this.path = path;
    this.identity = identity;
    this.channel = channel;
  }

  static SharedChannel open(Path path) throws IOException {
    if (Files.isDirectory(path)) { // Which could be opened, and its first read names no path.
      throw new FileSystemException(path.toString(), null, "expected a file, and this is a folder");
    }
    FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
    try {
      return new SharedChannel(path, Identity.of(path), channel);
    } catch (Throwable e) {
      channel.close();
      throw e;
    }
  }

  /**
   * Reads.
   *
   * @throws IllegalStateException if this was closed
   * @throws IOException if the file cannot be read, or another one has taken its place and the
   *     channel had to be opened again
   */
  <T> T read(Operation<T> operation) throws IOException {
    boolean interrupted = false;
    try {
      while (true) {
        FileChannel current = channel;
        requireOpen();
        try {
          return operation.on(current);
        } catch (ClosedChannelException e) {
          interrupted |= Thread.interrupted();
          requireOpen();
          reopen(current);
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private synchronized void reopen(FileChannel broken) throws IOException {
    requireOpen();
    if (channel != broken) {
      return;
    }
    FileChannel again = FileChannel.open(path, StandardOpenOption.READ);
    if (!identity.equals(Identity.of(path))) {
      again.close();
      throw new IOException(path + ": has been changed or replaced since it was opened");
    }
    channel = again;
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException(path + " is closed");
    }
  }

  @Override
  public synchronized void close() throws IOException {
    closed = true;
    channel.close();
  }
}
