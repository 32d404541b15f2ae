package io.matryoshka.sae.internal.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Runs commands whose results do not fit the small file system that is the first argument. */
final class FullDiskMain {

  private FullDiskMain() {}

  public static void main(String[] args) throws IOException {
    Path disk = Path.of(args[0]);
    for (String result : List.of("latents.safetensors", "folder", "report.html")) {
      Path target = disk.resolve(result);
      boolean isPage = result.endsWith(".html");
      Cli.Result got =
          isPage
              ? Cli.run("evaluate", Samples.RELEASE, "--html", target)
              : Cli.run("encode", Samples.RELEASE, "-i", Samples.ACTIVATIONS, "-o", target);
      System.out.println("CODE " + got.code());
      System.out.println("ERR " + got.err().strip());
      try (Stream<Path> left = Files.walk(disk)) {
        System.out.println(
            "LEFT " + left.filter(Files::isRegularFile).map(Path::getFileName).toList());
      }
    }
  }
}
