package io.matryoshka.sae.internal.spark.store;

import io.matryoshka.sae.store.ByteSource;
import io.matryoshka.sae.store.FileStamp;
import io.matryoshka.sae.store.StoredFile;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.attribute.FileTime;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;

/**
 * A file on a file system that Hadoop knows.
 *
 * @param path with its file system
 * @param hadoop how to reach that
 */
public record HadoopFile(Path path, Configuration hadoop) implements StoredFile {

  @Override
  public String name() {
    return path.toString();
  }

  @Override
  public String fileName() {
    return path.getName();
  }

  @Override
  public FileStamp stamp() throws IOException {
    try {
      FileStatus status = path.getFileSystem(hadoop).getFileStatus(path);
      return new FileStamp(status.getLen(), FileTime.fromMillis(status.getModificationTime()));
    } catch (FileNotFoundException e) {
      throw missing(e);
    }
  }

  @Override
  public ByteSource open() throws IOException {
    try {
      return HadoopBytes.open(path, hadoop);
    } catch (FileNotFoundException e) {
      throw missing(e);
    }
  }

  private NoSuchFileException missing(FileNotFoundException cause) {
    NoSuchFileException missing = new NoSuchFileException(name(), null, "no such file");
    missing.initCause(cause);
    return missing;
  }

  @Override
  public String toString() {
    return name();
  }
}
