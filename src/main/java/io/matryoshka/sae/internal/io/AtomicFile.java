package io.matryoshka.sae.internal.io;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * A file that appears under its name whole or not at all.
 *
 * <ol>
 *   <li>The bytes go to a {@link TemporaryFile} in the same folder, which goes away when writing
 *       fails, when the program is stopped, and, after a kill, at the next run.
 *   <li>{@link #commit} waits until they are on the storage device, renames the file over its
 *       target, and waits for the folder where the system can do that.
 *   <li>Where a file system refuses an atomic rename, a plain one replaces the target.
 * </ol>
 *
 * Until then the target stays as it was, and whoever has the old one open keeps it.
 */
public final class AtomicFile implements Closeable {

  private final Path target;
  private final TemporaryFile temporary;

  private AtomicFile(Path target, TemporaryFile temporary) {
    this.target = target;
    this.temporary = temporary;
  }

  /**
   * Begins to write a file.
   *
   * @param target the file to be, in an existing folder
   * @return the file, to be committed and closed
   * @throws FileAlreadyExistsException if the target is a folder
   * @throws IOException if nothing can be written there
   */
  public static AtomicFile create(Path target) throws IOException {
    return create(target, folder(target));
  }

  /**
   * Begins to write a file whose folder must hold nothing else.
   *
   * @param target the file to be, in an existing folder
   * @param folder where the temporary file goes; on the same file system
   * @return the file, to be committed and closed
   * @throws FileAlreadyExistsException if the target is a folder
   * @throws IOException if nothing can be written there
   */
  public static AtomicFile create(Path target, Path folder) throws IOException {
    if (Files.isDirectory(target)) {
      throw new FileAlreadyExistsException(target.toString(), null, "is a folder; name a file");
    }
    return new AtomicFile(
        target, TemporaryFile.create(folder, target.getFileName().toString(), target));
  }

  /**
   * Returns where to write.
   *
   * @return a channel to read and write, closed by {@link #close}
   */
  public FileChannel channel() {
    return temporary.channel();
  }

  /**
   * Puts the file in place, once its bytes are on the storage device.
   *
   * @throws IOException if that fails; the target is then as it was
   */
  public void commit() throws IOException {
    temporary.force();
    commitUnforced();
    forceFolder(folder(target));
  }

  /**
   * Puts the file in place without waiting for the storage device: for content that carries a
   * checksum and is made again when a loss of power has damaged it.
   *
   * @throws IOException if that fails; the target is then as it was
   */
  public void commitUnforced() throws IOException {
    replace(temporary.path(), target);
  }

  /** Ends writing; without a commit before, nothing stays behind. Closing twice is fine. */
  @Override
  public void close() throws IOException {
    temporary.close();
  }

  /**
   * Writes a whole file. A target that is no regular file, such as a device or a pipe, is written
   * directly.
   *
   * @param target the file to be, in an existing folder
   * @param content its bytes
   * @throws IOException if it cannot be written; the target is then as it was
   */
  public static void write(Path target, byte[] content) throws IOException {
    if (isSpecial(target)) {
      writeSpecial(target, content);
      return;
    }
    try (AtomicFile file = create(target)) {
      file.writeFully(content);
      file.commit();
    }
  }

  private static void writeSpecial(Path target, byte[] content) throws IOException {
    try {
      Files.write(target, content);
    } catch (FileSystemException | ClosedByInterruptException e) {
      throw e;
    } catch (IOException e) {
      FileSystemException named = new FileSystemException(target.toString(), null, e.getMessage());
      named.initCause(e);
      throw named;
    }
  }

  /**
   * Writes a whole text file in UTF-8, as {@link #write(Path, byte[])} does.
   *
   * @param target the file to be, in an existing folder
   * @param content its text
   * @throws IOException if it cannot be written; the target is then as it was
   */
  public static void write(Path target, String content) throws IOException {
    write(target, content.getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Appends bytes.
   *
   * @param content the bytes
   * @throws IOException if they cannot be written
   */
  public void writeFully(byte[] content) throws IOException {
    append(ByteBuffer.wrap(content));
  }

  /**
   * Appends bytes.
   *
   * @param bytes the bytes, up to the limit
   * @throws IOException that names the target, if they cannot be written
   */
  public void append(ByteBuffer bytes) throws IOException {
    temporary.append(bytes);
  }

  /**
   * Writes bytes at a position.
   *
   * @param bytes the bytes, up to the limit
   * @param position where the first goes
   * @throws IOException that names the target, if they cannot be written
   */
  public void write(ByteBuffer bytes, long position) throws IOException {
    temporary.write(bytes, position);
  }

  /**
   * Checks that a file can be written, before the work whose result it is to hold: makes a
   * temporary file beside it and deletes that. The target stays as it is.
   *
   * @param target the file to be
   * @throws NoSuchFileException if its folder does not exist
   * @throws IOException if it is a folder, or nothing can be written there
   */
  public static void requireWritable(Path target) throws IOException {
    Path folder = folder(target);
    if (!Files.exists(folder)) {
      throw new NoSuchFileException(
          target.toString(), null, "the folder " + folder + " does not exist; make it first");
    }
    if (!Files.isDirectory(folder)) {
      throw new FileSystemException(target.toString(), null, folder + " is not a folder");
    }
    if (!isSpecial(target)) {
      create(target).close();
    }
  }

  /**
   * Checks that files can be made in a folder, or in the nearest one above it that exists.
   *
   * @param folder the folder, which need not exist yet
   * @throws IOException that names the folder, if they cannot
   */
  public static void requireWritableFolder(Path folder) throws IOException {
    Path existing = folder.toAbsolutePath();
    while (!Files.exists(existing) && existing.getParent() != null) {
      existing = existing.getParent();
    }
    if (!Files.isDirectory(existing)) {
      throw new FileSystemException(folder.toString(), null, existing + " is a file");
    }
    TemporaryFile.create(existing, "writable", folder).close();
  }

  /**
   * Renames a file, replacing what has the other name: atomically where the file system can.
   *
   * @param from the file
   * @param to its new name, on the same file system
   * @throws IOException if that fails
   */
  public static void replace(Path from, Path to) throws IOException {
    try {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (AtomicMoveNotSupportedException e) {
      Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  private static boolean isSpecial(Path target) {
    return Files.exists(target) && !Files.isRegularFile(target) && !Files.isDirectory(target);
  }

  private static Path folder(Path target) {
    return target.toAbsolutePath().getParent();
  }

  private static void forceFolder(Path folder) {
    try (FileChannel channel = FileChannel.open(folder)) {
      channel.force(true);
    } catch (IOException e) {
      return; // Windows opens no folders; after a loss of power the old file may be back.
    }
  }
}
