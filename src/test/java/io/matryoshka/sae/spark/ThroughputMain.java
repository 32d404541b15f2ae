package io.matryoshka.sae.spark;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.spark.support.LocalSpark;
import io.matryoshka.sae.spark.support.SparkRows;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.EncodeOptions;
import io.matryoshka.sae.stream.EncodeRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import org.apache.spark.sql.SparkSession;

/**
 * Encodes the same rows by a run on one machine and by Spark in the same JVM, in turns, and prints
 * how many rows a second each took: {@code ThroughputMain ROWS ROUNDS}. docs/spark.md has the
 * command.
 */
final class ThroughputMain {

  private static final int FILE_ROWS = 32_768;

  private ThroughputMain() {}

  public static void main(String[] args) throws Exception {
    int rows = Integer.parseInt(args[0]);
    int rounds = Integer.parseInt(args[1]);
    Path folder = Files.createTempDirectory("spark-throughput");
    int[] sizes = new int[(rows + FILE_ROWS - 1) / FILE_ROWS];
    Arrays.setAll(sizes, i -> Math.min(FILE_ROWS, rows - i * FILE_ROWS));
    Path in = SparkRows.write(folder.resolve("in"), sizes);
    EncodeOptions options = EncodeOptions.defaults().rowsPerShard(8192).restart(true);
    try (SparkSession spark =
            SparkSession.builder().master("local[2]").config(LocalSpark.conf()).getOrCreate();
        SAE sae = SparkRows.sae()) {
      ActivationSource source = ActivationSource.open(List.of(in), sae.dIn());
      SparkRuns runs = SparkRuns.on(spark, SparkRows.ref());
      ActivationSource onSpark = runs.open(List.of(in.toString()));
      Callable<Object> one = () -> EncodeRun.toFolder(sae, source, folder.resolve("one"), options);
      Callable<Object> many =
          () -> runs.encode(onSpark, folder.resolve("spark").toString(), options);
      double[] oneSeconds = new double[rounds];
      double[] sparkSeconds = new double[rounds];
      seconds(one);
      seconds(many);
      for (int i = 0; i < rounds; i++) {
        oneSeconds[i] = seconds(one);
        sparkSeconds[i] = seconds(many);
      }
      print("one machine", rows, oneSeconds);
      print("local[2]", rows, sparkSeconds);
    } finally {
      delete(folder);
    }
  }

  private static double seconds(Callable<Object> run) throws Exception {
    long start = System.nanoTime();
    run.call();
    return (System.nanoTime() - start) / 1e9;
  }

  private static void print(String name, int rows, double[] seconds) {
    Arrays.sort(seconds);
    System.out.printf(
        "%-12s median %.0f rows/s, from %.0f to %.0f%n",
        name,
        rows / seconds[seconds.length / 2],
        rows / seconds[seconds.length - 1],
        rows / seconds[0]);
  }

  private static void delete(Path folder) throws IOException {
    try (var files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
