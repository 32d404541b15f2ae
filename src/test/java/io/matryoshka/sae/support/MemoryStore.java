package io.matryoshka.sae.support;

import io.matryoshka.sae.store.ByteSource;
import io.matryoshka.sae.store.FileStamp;
import io.matryoshka.sae.store.StoredFile;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** A store that is not the disk: objects by name, in memory. Counts what is left open. */
public final class MemoryStore {

  private record Stored(byte[] bytes, FileStamp stamp) {}

  private final Map<String, Stored> objects = new ConcurrentHashMap<>();
  private final AtomicInteger open = new AtomicInteger();
  private final AtomicInteger opened = new AtomicInteger();
  private final AtomicInteger writes = new AtomicInteger();

  /** Stores bytes under a name, in place of those that were there. */
  public StoredFile put(String name, byte[] bytes) {
    FileTime time = FileTime.fromMillis(writes.incrementAndGet());
    objects.put(name, new Stored(bytes, new FileStamp(bytes.length, time)));
    return file(name);
  }

  /** Copies a file of the disk into the store. */
  public StoredFile copy(Path file) throws IOException {
    return put("mem://bucket/" + file.getFileName(), Files.readAllBytes(file));
  }

  /** A name in the store, whether there is an object or not. */
  public StoredFile file(String name) {
    return new StoredFile() {
      @Override
      public String name() {
        return name;
      }

      @Override
      public FileStamp stamp() throws IOException {
        return stored(name).stamp;
      }

      @Override
      public ByteSource open() throws IOException {
        return new Bytes(name, stored(name).bytes);
      }
    };
  }

  private Stored stored(String name) throws IOException {
    if (!objects.containsKey(name)) {
      throw new NoSuchFileException(name);
    }
    return objects.get(name);
  }

  /** Sources that were opened and not closed. */
  public int openSources() {
    return open.get();
  }

  /** How often a source was opened so far. */
  public int openings() {
    return opened.get();
  }

  private final class Bytes implements ByteSource {
    private final String name;
    private final byte[] bytes;
    private boolean closed;

    Bytes(String name, byte[] bytes) {
      this.name = name;
      this.bytes = bytes;
      open.incrementAndGet();
      opened.incrementAndGet();
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public long size() {
      return bytes.length;
    }

    @Override
    public void readFully(long position, ByteBuffer target) throws IOException {
      if (position > bytes.length - target.remaining()) {
        throw new EOFException(name + ": ends at byte " + bytes.length);
      }
      target.put(bytes, (int) position, target.remaining());
    }

    @Override
    public void close() {
      if (!closed) {
        closed = true;
        open.decrementAndGet();
      }
    }
  }
}
