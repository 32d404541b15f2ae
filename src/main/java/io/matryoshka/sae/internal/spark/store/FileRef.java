package io.matryoshka.sae.internal.spark.store;

import io.matryoshka.sae.internal.io.DiskFile;
import io.matryoshka.sae.store.StoredFile;
import java.io.Serializable;
import java.net.URI;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/**
 * A file by its URI, so that every host finds it. One of the disk is read without Hadoop.
 *
 * @param uri with the file system
 */
public record FileRef(String uri) implements Serializable {

  private static final String DISK = "file";

  /** Returns the reference to a file that the driver opened. */
  public static FileRef of(StoredFile file) {
    if (file instanceof DiskFile disk) {
      return new FileRef(disk.path().toAbsolutePath().toUri().toString());
    }
    if (file instanceof HadoopFile hadoop) {
      return new FileRef(hadoop.path().toUri().toString());
    }
    throw new IllegalArgumentException(
        file.name() + ": hosts of a cluster can read files of Hadoop's file systems only");
  }

  /** Returns the reference to a path that has its file system. */
  public static FileRef of(Path path) {
    return new FileRef(path.toUri().toString());
  }

  /** Finds the file from this host. */
  public StoredFile file(Configuration hadoop) {
    URI location = URI.create(uri);
    return DISK.equals(location.getScheme())
        ? new DiskFile(java.nio.file.Path.of(location.getPath()))
        : new HadoopFile(new Path(location), hadoop);
  }
}
