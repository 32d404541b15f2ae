package io.matryoshka.sae.internal.spark.store;

import io.matryoshka.sae.internal.io.CacheFolder;
import io.matryoshka.sae.internal.io.Checksum;
import io.matryoshka.sae.internal.io.ProcessLock;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The copy of a folder on the disk of this host, made once for all processes: weights are mapped,
 * and only files on a disk can be. Folders below it are not copied.
 */
public final class FolderCopy {

  private static final Logger LOG = LoggerFactory.getLogger(FolderCopy.class);

  private FolderCopy() {}

  /** Returns the folder where it lies on a disk, else its copy in the cache of this library. */
  public static Path onThisHost(String folder, Configuration hadoop) throws IOException {
    org.apache.hadoop.fs.Path source = HadoopPaths.qualify(folder, hadoop);
    URI uri = source.toUri();
    if ("file".equals(uri.getScheme())) {
      return Path.of(uri.getPath());
    }
    FileSystem files = source.getFileSystem(hadoop);
    List<FileStatus> content = content(source, files);
    if (content.isEmpty() || content.get(0).getPath().equals(source)) {
      throw new NotDirectoryException(
          source + ": expected a folder with the files of an SAE or a language model");
    }
    Path copies = CacheFolder.root().resolve("folders");
    Path copy = copies.resolve(fingerprint(content));
    try (ProcessLock lock = ProcessLock.acquire(copies.resolve(copy.getFileName() + ".lock"))) {
      Objects.requireNonNull(lock);
      if (!Files.isDirectory(copy)) {
        LOG.info("copying {} to {}", source, copy);
        fill(copy, content, files);
      }
    }
    return copy;
  }

  private static List<FileStatus> content(org.apache.hadoop.fs.Path source, FileSystem files)
      throws IOException {
    try {
      return Arrays.stream(files.listStatus(source))
          .filter(FileStatus::isFile)
          .sorted(Comparator.comparing(status -> status.getPath().getName()))
          .toList();
    } catch (FileNotFoundException e) {
      NoSuchFileException missing =
          new NoSuchFileException(source.toString(), null, "no such folder");
      missing.initCause(e);
      throw missing;
    }
  }

  /** The name of the copy: another one for every change of the folder that the store tells of. */
  private static String fingerprint(List<FileStatus> content) {
    MessageDigest digest = Checksum.sha256();
    for (FileStatus file : content) {
      String line =
          file.getPath() + "\n" + file.getLen() + "\n" + file.getModificationTime() + "\n";
      digest.update(line.getBytes(StandardCharsets.UTF_8));
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  /** Copies to a folder beside and renames that, so that the copy is whole or missing. */
  private static void fill(Path copy, List<FileStatus> content, FileSystem files)
      throws IOException {
    Path half = copy.resolveSibling(copy.getFileName() + ".part");
    delete(half);
    Files.createDirectories(half);
    for (FileStatus file : content) {
      Path target = half.resolve(file.getPath().getName());
      try (var in = files.open(file.getPath())) {
        long copied = Files.copy(in, target);
        if (copied != file.getLen()) {
          throw new IOException(
              "%s: copied %d bytes of %d; the file changed meanwhile"
                  .formatted(file.getPath(), copied, file.getLen()));
        }
      }
    }
    Files.move(half, copy);
  }

  private static void delete(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    try (Stream<Path> found = Files.walk(folder)) {
      for (Path path : found.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
