package io.matryoshka.sae.internal.spark.store;

import io.matryoshka.sae.store.StoredFile;
import io.matryoshka.sae.stream.ActivationException;
import io.matryoshka.sae.stream.ActivationFiles;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** Finds files of activations by what a user writes, as {@link ActivationFiles} does on a disk. */
public final class HadoopActivations {

  private HadoopActivations() {}

  /**
   * Expands inputs to files: a folder stands for the {@code .safetensors} and {@code .npy} files
   * right in it, in natural order, and a pattern for what it matches.
   */
  public static List<StoredFile> find(List<String> inputs, Configuration hadoop)
      throws IOException {
    List<StoredFile> files = new ArrayList<>();
    for (String input : inputs) {
      Path path = HadoopPaths.qualify(input, hadoop);
      FileSystem system = path.getFileSystem(hadoop);
      FileStatus[] found = system.exists(path) ? one(system, path) : system.globStatus(path);
      if (found == null || found.length == 0) {
        throw new NoSuchFileException(input, null, "no such file or folder");
      }
      files.addAll(expand(input, system, found, hadoop));
    }
    return files;
  }

  /** A file that exists is no pattern, whatever its name. */
  private static FileStatus[] one(FileSystem system, Path path) throws IOException {
    return new FileStatus[] {system.getFileStatus(path)};
  }

  private static List<StoredFile> expand(
      String input, FileSystem system, FileStatus[] found, Configuration hadoop)
      throws IOException {
    if (found.length == 1 && found[0].isDirectory()) {
      List<StoredFile> files =
          ActivationFiles.inFolder(files(system.listStatus(found[0].getPath()), hadoop));
      if (files.isEmpty()) {
        throw new ActivationException(
            "%s: the folder holds no .safetensors and no .npy file (folders in it are not read)"
                .formatted(input));
      }
      return files;
    }
    return found.length == 1
        ? files(found, hadoop)
        : ActivationFiles.inFolder(files(found, hadoop));
  }

  private static List<StoredFile> files(FileStatus[] found, Configuration hadoop) {
    return Arrays.stream(found)
        .filter(FileStatus::isFile)
        .map(status -> FileRef.of(status.getPath()).file(hadoop))
        .toList();
  }
}
