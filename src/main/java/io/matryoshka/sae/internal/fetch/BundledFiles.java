package io.matryoshka.sae.internal.fetch;

import io.matryoshka.sae.internal.io.AtomicFile;
import io.matryoshka.sae.internal.io.CacheFolder;
import io.matryoshka.sae.registry.SaeLocation;
import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.zip.CRC32C;

/**
 * Gives files of the jar as files on disk, since only those can be mapped. They are copied once to
 * {@link CacheFolder}, under a name made of their content.
 */
public final class BundledFiles {

  private BundledFiles() {}

  /**
   * Finds the files of a bundled folder on disk, after copying them out of the jar if need be.
   *
   * @param bundled the folder
   * @param names the files that it holds, at least one
   * @return a folder with these files
   * @throws IOException if the jar lacks a file, or the copy cannot be written
   */
  public static Path folder(SaeLocation.Bundled bundled, List<String> names) throws IOException {
    URL first = url(bundled, names.get(0));
    if (first.getProtocol().equals("file")) {
      try {
        return Path.of(first.toURI()).getParent();
      } catch (URISyntaxException e) {
        throw new IOException("not a file address: " + first, e);
      }
    }
    CRC32C crc = new CRC32C();
    byte[][] contents = new byte[names.size()][];
    for (int i = 0; i < contents.length; i++) {
      try (InputStream in = url(bundled, names.get(i)).openStream()) {
        contents[i] = in.readAllBytes();
        crc.update(contents[i]);
      }
    }
    Path folder =
        CacheFolder.root()
            .resolve("bundled")
            .resolve(String.format(Locale.ROOT, "%08x", crc.getValue()));
    createFolder(folder);
    for (int i = 0; i < contents.length; i++) {
      place(contents[i], folder.resolve(names.get(i)));
    }
    return folder;
  }

  private static void createFolder(Path folder) throws IOException {
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new IOException(
          folder
              + " cannot be made ("
              + e
              + "), and the files of the jar are to be copied there; set "
              + CacheFolder.VARIABLE
              + " to a folder that can be written",
          e);
    }
  }

  private static void place(byte[] content, Path target) throws IOException {
    if (Files.exists(target) && Files.size(target) == content.length) {
      return;
    }
    AtomicFile.write(target, content);
  }

  private static URL url(SaeLocation.Bundled bundled, String name) throws IOException {
    return bundled
        .resource(name)
        .orElseThrow(
            () ->
                new IOException(
                    "the jar holds no "
                        + bundled.resourceFolder()
                        + "/"
                        + name
                        + "; use the jar as published, or add the jar that brings these files"));
  }
}
