package io.matryoshka.sae.hub;

import io.matryoshka.sae.hub.DownloadProgress.Phase;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Downloads files in a JVM of its own. Says {@code READY}, waits for a line, and then writes one
 * line for each file and thread: {@code OK} with the path, or {@code FAILED} with the reason.
 *
 * <p>Arguments: endpoint, cache folder, repository, connections, bytes of a chunk, threads, the
 * phase at which the JVM drops dead or {@code NEVER}, file names.
 */
final class DownloadMain {
  static final String NEVER = "NEVER";
  private static final int KILLED = 137;

  private DownloadMain() {}

  public static void main(String[] args) throws Exception {
    HubClient client =
        HubClient.of(
            HubOptions.fromEnvironment()
                .endpoint(URI.create(args[0]))
                .cacheDir(Path.of(args[1]))
                .withoutToken()
                .connections(Integer.parseInt(args[3]))
                .chunkBytes(Long.parseLong(args[4]))
                .progress(progress -> dieAt(args[6], progress.phase())));
    System.out.println("READY");
    if (System.in.read() < 0) {
      throw new IOException("Nobody said when to start");
    }
    int copies = Integer.parseInt(args[5]);
    ExecutorService threads = Executors.newFixedThreadPool(copies);
    for (String filename : Arrays.asList(args).subList(7, args.length)) {
      RepoFile file = RepoFile.of(args[2], filename);
      Callable<Object> download = Executors.callable(() -> report(client, file));
      threads.invokeAll(Collections.nCopies(copies, download));
    }
    threads.shutdown();
  }

  private static void dieAt(String wanted, Phase phase) {
    if (phase.name().equals(wanted)) {
      Runtime.getRuntime().halt(KILLED);
    }
  }

  static void report(HubClient client, RepoFile file) {
    try {
      System.out.println("OK " + client.download(file));
    } catch (IOException e) {
      System.out.println("FAILED " + e.getClass().getSimpleName() + ": " + e.getMessage());
    }
  }
}
