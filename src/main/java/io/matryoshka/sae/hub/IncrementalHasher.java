package io.matryoshka.sae.hub;

import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.HexFormat;

/**
 * Hashes a file on its own thread while it is being written: always the part from the start to the
 * first byte not yet there. It reads what was just written, so it does not matter who wrote it, in
 * which order, or whether an earlier process did.
 */
final class IncrementalHasher implements Closeable {
  private final Path file;
  private final MessageDigest digest = ContentHash.SHA256.digest(0);
  private final Thread thread;

  // Guarded by this.
  private long available;
  private long hashed;
  private boolean restart;
  private boolean closed;
  private IOException failure;

  private IncrementalHasher(Path file, FileChannel channel) {
    this.file = file;
    this.thread = new Thread(() -> run(channel), "hub-hash");
    this.thread.setDaemon(true);
  }

  /** Opens the file and starts the thread, which reads it even if another program deletes it. */
  static IncrementalHasher start(Path file) throws IOException {
    IncrementalHasher hasher =
        new IncrementalHasher(file, FileChannel.open(file, StandardOpenOption.READ));
    hasher.thread.start();
    return hasher;
  }

  /** Tells that all bytes before {@code prefix} are written. */
  synchronized void advance(long prefix) {
    available = prefix;
    notifyAll();
  }

  /** Forgets everything: the file is written again from its start. */
  synchronized void restart() {
    available = 0;
    hashed = 0;
    restart = true;
    notifyAll();
  }

  /** Waits until all that was announced is hashed, and returns the hash in hexadecimal. */
  synchronized String finish() throws IOException {
    try {
      while (failure == null && (hashed < available || restart)) {
        wait();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("Interrupted while hashing " + file);
    }
    if (failure != null) {
      throw new CacheWriteException("Hash " + file + ": it cannot be read back", failure);
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  @Override
  public synchronized void close() {
    closed = true;
    notifyAll();
  }

  private void run(FileChannel opened) {
    ByteBuffer buffer = ByteBuffer.allocate(ContentHash.BUFFER_BYTES);
    try (FileChannel channel = opened) {
      long position = await(0);
      while (position >= 0) {
        buffer.clear().limit((int) Math.min(buffer.capacity(), availableAfter(position)));
        int read = channel.read(buffer, position);
        if (read > 0) {
          digest.update(buffer.flip());
        } else if (availableAfter(position) > 0) {
          throw new IOException("the file has become shorter than what was written into it");
        }
        position = await(Math.max(read, 0));
      }
    } catch (IOException e) {
      fail(e);
    }
  }

  private synchronized long availableAfter(long position) {
    return Math.max(0, available - position);
  }

  /** Books what was hashed and waits for more; returns the next position, or -1 to stop. */
  private synchronized long await(long read) {
    if (!restart) {
      hashed += read;
      notifyAll();
    }
    try {
      while (!closed && !restart && hashed >= available) {
        wait();
      }
    } catch (InterruptedException e) {
      return -1; // Nobody interrupts this thread but a stopping JVM.
    }
    if (restart) {
      digest.reset();
      restart = false;
      hashed = 0;
      notifyAll();
    }
    return closed ? -1 : hashed;
  }

  private synchronized void fail(IOException e) {
    failure = e;
    notifyAll();
  }
}
