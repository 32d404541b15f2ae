package io.matryoshka.sae.internal.spark.store;

import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** Names of files and folders on file systems that Hadoop knows. */
public final class HadoopPaths {

  private HadoopPaths() {}

  /** Adds the file system to a path that has none, and the working folder to a relative one. */
  public static Path qualify(String name, Configuration hadoop) throws IOException {
    if (name.isBlank()) {
      throw new IllegalArgumentException("expected the path or URI of a file or folder, got none");
    }
    Path path = new Path(name);
    return path.getFileSystem(hadoop).makeQualified(path);
  }
}
