package io.matryoshka.sae.internal.io;

import java.nio.file.Files;

/** Makes a temporary folder with a file, says where, and waits to be stopped. */
final class TemporaryFolderMain {

  private TemporaryFolderMain() {}

  public static void main(String[] args) throws Exception {
    try (TemporaryFolder folder = TemporaryFolder.create("test")) {
      Files.writeString(folder.path().resolve("file"), "half");
      System.out.println("READY");
      Thread.sleep(60_000);
    }
  }
}
