package io.matryoshka.sae.internal.spark.store;

import io.matryoshka.sae.store.StoredFile;
import io.matryoshka.sae.stream.RunStore;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.StreamCapabilities;

/**
 * A folder on a file system that Hadoop knows, in which files appear whole: by a rename where there
 * is one, else by a stream that publishes when it is closed and is aborted when writing fails.
 */
public final class StoreFolder implements RunStore {

  /** Begins the name of a file on its way, so that nobody reads it. */
  private static final String HALF = "._half-";

  private static final int MAX_RENAMES = 3;

  private final Path folder;
  private final FileSystem files;
  private final Configuration hadoop;

  private StoreFolder(Path folder, FileSystem files, Configuration hadoop) {
    this.folder = folder;
    this.files = files;
    this.hadoop = hadoop;
  }

  public static StoreFolder of(Path folder, Configuration hadoop) throws IOException {
    FileSystem files = folder.getFileSystem(hadoop);
    // Without the checksum files that Hadoop would put beside those of a disk.
    return new StoreFolder(
        folder, files instanceof LocalFileSystem local ? local.getRaw() : files, hadoop);
  }

  /** Makes the folder, and removes what killed tasks left half written. */
  public void create() throws IOException {
    if (!files.mkdirs(folder)) {
      throw new IOException(folder + ": the folder cannot be made");
    }
    removeHalves();
  }

  public void removeHalves() throws IOException {
    for (String name : files()) {
      if (name.startsWith(HALF)) {
        delete(name);
      }
    }
  }

  @Override
  public String nameOf(String file) {
    return new Path(folder, file).toString();
  }

  /** The file as it is read. */
  public StoredFile file(String name) {
    return FileRef.of(new Path(folder, name)).file(hadoop);
  }

  @Override
  public List<String> files() throws IOException {
    return Arrays.stream(files.listStatus(folder))
        .filter(FileStatus::isFile)
        .map(status -> status.getPath().getName())
        .toList();
  }

  @Override
  public Optional<String> read(String file) throws IOException {
    try (InputStream in = files.open(new Path(folder, file))) {
      return Optional.of(new String(in.readAllBytes(), StandardCharsets.UTF_8));
    } catch (FileNotFoundException e) {
      return Optional.empty();
    }
  }

  @Override
  public void write(String file, String text) throws IOException {
    put(file, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
  }

  @Override
  public void delete(String file) throws IOException {
    files.delete(new Path(folder, file), false);
  }

  /** Deletes the folder if nothing is left in it. */
  public void deleteIfEmpty() throws IOException {
    if (files.exists(folder) && files.listStatus(folder).length == 0) {
      files.delete(folder, false);
    }
  }

  /** Copies a file of this host's disk. */
  public void upload(java.nio.file.Path source, String name) throws IOException {
    put(name, out -> Files.copy(source, out));
  }

  /** Writes the bytes of a file. */
  interface Content {
    void writeTo(OutputStream out) throws IOException;
  }

  /** Writes a file that appears whole, in place of one that is there. */
  void put(String name, Content content) throws IOException {
    Path target = new Path(folder, name);
    if (files.hasPathCapability(target, StreamCapabilities.ABORTABLE_STREAM)) {
      publish(target, content);
      return;
    }
    Path half = new Path(folder, HALF + name + "-" + UUID.randomUUID());
    try {
      try (FSDataOutputStream out = files.create(half, true)) {
        content.writeTo(out);
        out.hsync();
      }
      rename(half, target);
    } catch (Throwable e) {
      files.delete(half, false);
      throw e;
    }
  }

  private void publish(Path target, Content content) throws IOException {
    FSDataOutputStream out = files.create(target, true);
    try {
      content.writeTo(out);
    } catch (Throwable e) {
      out.abort(); // Closing it would publish what was written so far.
      throw e;
    }
    out.close();
  }

  /** Another attempt may write the same bytes under the same name meanwhile. */
  private void rename(Path half, Path target) throws IOException {
    for (int i = 0; i < MAX_RENAMES; i++) {
      if (files.rename(half, target)) {
        return;
      }
      files.delete(target, false);
    }
    throw new IOException("%s: cannot be put in place of %s".formatted(half, target));
  }
}
