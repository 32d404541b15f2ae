package io.matryoshka.sae.internal.io;

import io.matryoshka.sae.store.ByteSource;
import io.matryoshka.sae.store.FileStamp;
import io.matryoshka.sae.store.StoredFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;

/**
 * A file of the disk.
 *
 * @param path the file
 */
public record DiskFile(Path path) implements StoredFile {

  @Override
  public String name() {
    return path.toString();
  }

  @Override
  public String fileName() {
    return path.getFileName().toString();
  }

  @Override
  public FileStamp stamp() throws IOException {
    BasicFileAttributes now = Files.readAttributes(path, BasicFileAttributes.class);
    return new FileStamp(now.size(), now.lastModifiedTime());
  }

  @Override
  public ByteSource open() throws IOException {
    return FileBytes.open(path);
  }

  @Override
  public String toString() {
    return name();
  }
}
