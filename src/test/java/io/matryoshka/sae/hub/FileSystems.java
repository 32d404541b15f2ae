package io.matryoshka.sae.hub;

import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;

/** Skips tests, with the reason, on file systems that lack what they are about. */
final class FileSystems {

  private FileSystems() {}

  /** Links are not there on Windows unless the user has the right to make them. */
  static void assumeLinks(Path folder) throws IOException {
    Path link = folder.resolve("link");
    boolean links;
    try {
      Files.createSymbolicLink(link, Path.of("target"));
      links = true;
    } catch (IOException | UnsupportedOperationException e) {
      links = false;
    }
    Files.deleteIfExists(link);
    assumeThat(links).as("this user can make symbolic links").isTrue();
  }

  static void assumePosixPermissions(Path folder) {
    assumeThat(Files.getFileAttributeView(folder, PosixFileAttributeView.class))
        .as("the file system has POSIX permissions")
        .isNotNull();
  }
}
