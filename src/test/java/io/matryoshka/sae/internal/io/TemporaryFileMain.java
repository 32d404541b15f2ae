package io.matryoshka.sae.internal.io;

import java.nio.file.Files;
import java.nio.file.Path;

/** Makes a temporary file and a temporary folder, says so, and waits to be stopped. */
final class TemporaryFileMain {

  private TemporaryFileMain() {}

  public static void main(String[] args) throws Exception {
    Path folder = Path.of(args[0]);
    Path inner = folder.resolve("unfinished");
    DeletedOnExit.add(inner);
    Files.writeString(Files.createDirectory(inner).resolve("file"), "half");
    try (TemporaryFile file = TemporaryFile.create(folder, "out.safetensors")) {
      file.channel().write(java.nio.ByteBuffer.allocate(100));
      System.out.println("READY");
      Thread.sleep(60_000);
    }
  }
}
