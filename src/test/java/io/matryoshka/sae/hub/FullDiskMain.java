package io.matryoshka.sae.hub;

import io.matryoshka.sae.hub.DownloadProgress.Phase;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * Downloads files into a small file system that fills up meanwhile, and once more after it has been
 * cleared. Arguments: endpoint, cache folder, repository, a file that can never fit, one that can.
 */
final class FullDiskMain {
  private FullDiskMain() {}

  public static void main(String[] args) throws IOException {
    Path cache = Path.of(args[1]);
    Path filler = cache.resolve("filler");
    HubOptions builder =
        HubOptions.fromEnvironment()
            .endpoint(URI.create(args[0]))
            .cacheDir(cache)
            .withoutToken()
            .connections(1);
    HubClient client = HubClient.of(builder);
    HubClient unlucky = HubClient.of(builder.progress(progress -> fill(filler, progress.phase())));

    DownloadMain.report(client, RepoFile.of(args[2], args[3]));
    RepoFile fitting = RepoFile.of(args[2], args[4]);
    DownloadMain.report(unlucky, fitting);
    System.out.println("LEFT " + blobs(cache));
    System.out.println("FOUND " + client.findCached(fitting).isPresent());
    Files.delete(filler);
    DownloadMain.report(client, fitting);
    System.out.println("SOUND " + new HubCache(cache).verify().problems().isEmpty());
  }

  private static long blobs(Path cache) throws IOException {
    try (Stream<Path> blobs = Files.list(cache.resolve("models--owner--name/blobs"))) {
      return blobs.count();
    }
  }

  private static void fill(Path filler, Phase phase) {
    if (phase != Phase.RUNNING) {
      return;
    }
    byte[] block = new byte[4096];
    try (OutputStream out = Files.newOutputStream(filler)) {
      while (true) {
        out.write(block);
      }
    } catch (IOException e) {
      if (!String.valueOf(e.getMessage()).contains("No space left")) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
