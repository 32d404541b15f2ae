package io.matryoshka.sae.hub;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Compares the rate of a verified download with that of a plain copy of the same bytes to disk by
 * {@code java.net.http}, in turns. Arguments: endpoint, address of the plain copy, an empty folder,
 * repository, file name, rounds.
 */
final class ThroughputMain {
  private static final double MEBI = 1 << 20;

  private ThroughputMain() {}

  public static void main(String[] args) throws Exception {
    URI endpoint = URI.create(args[0]);
    URI plain = URI.create(args[1]);
    Path folder = Path.of(args[2]);
    RepoFile file = RepoFile.of(args[3], args[4]);
    int rounds = Integer.parseInt(args[5]);
    List<Double> copies = new ArrayList<>();
    List<Double> singles = new ArrayList<>();
    List<Double> parallels = new ArrayList<>();
    for (int round = -1; round < rounds; round++) { // The first round warms up and does not count.
      double copy = copy(plain, folder.resolve("copy"));
      double single = download(endpoint, folder.resolve("single" + round), file, 1);
      double parallel = download(endpoint, folder.resolve("parallel" + round), file, 4);
      System.out.printf(
          Locale.ROOT,
          "round %d: plain copy %.0f, verified over 1 connection %.0f, over 4 %.0f MiB/s%n",
          round,
          copy,
          single,
          parallel);
      if (round >= 0) {
        copies.add(copy);
        singles.add(single);
        parallels.add(parallel);
      }
    }
    System.out.printf(
        Locale.ROOT,
        "median ratio to the plain copy: 1 connection %.2f, 4 connections %.2f%n",
        median(singles) / median(copies),
        median(parallels) / median(copies));
    System.out.printf(
        Locale.ROOT, "heap of at most %.1f MB%n", Runtime.getRuntime().maxMemory() / 1e6);
  }

  private static double copy(URI from, Path to) throws IOException, InterruptedException {
    HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    long start = System.nanoTime();
    http.send(HttpRequest.newBuilder(from).build(), BodyHandlers.ofFile(to));
    double rate = rate(Files.size(to), start);
    Files.delete(to);
    return rate;
  }

  private static double download(URI endpoint, Path cache, RepoFile file, int connections)
      throws IOException {
    HubClient client =
        HubClient.of(
            HubOptions.fromEnvironment()
                .endpoint(endpoint)
                .cacheDir(cache)
                .withoutToken()
                .connections(connections));
    long start = System.nanoTime();
    Path path = client.download(file).toRealPath();
    double rate = rate(Files.size(path), start);
    Files.delete(path);
    return rate;
  }

  private static double rate(long bytes, long startNanos) {
    return bytes / MEBI / ((System.nanoTime() - startNanos) / 1e9);
  }

  private static double median(List<Double> values) {
    double[] sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    int middle = sorted.length / 2;
    return Arrays.stream(sorted, (sorted.length - 1) / 2, middle + 1).average().orElseThrow();
  }
}
