package io.matryoshka.sae.spark;

import io.matryoshka.sae.eval.Evaluation;
import io.matryoshka.sae.eval.EvaluationReport;
import io.matryoshka.sae.eval.EvaluationRunOptions;
import io.matryoshka.sae.explore.Exploration;
import io.matryoshka.sae.explore.ExplorationReport;
import io.matryoshka.sae.explore.ExplorerOptions;
import io.matryoshka.sae.lm.Tokens;
import io.matryoshka.sae.spark.support.Bookworm;
import io.matryoshka.sae.spark.support.LocalSpark;
import io.matryoshka.sae.spark.support.SparkRows;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.EncodeOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;
import org.apache.spark.sql.SparkSession;

/**
 * A driver: {@code MASTER EXECUTORS INPUT OUTPUT TASK...}; writes what it finds to files of the
 * output. Each task begins when there are as many executors as asked for.
 */
final class ClusterMain {

  static final EncodeOptions ENCODE = EncodeOptions.defaults().saeName("demo").rowsPerShard(4096);
  static final TextRunOptions TEXT = TextRunOptions.defaults().tokensPerFile(1);

  /** Documents lie beside the folder of the input. */
  static final String DOCUMENTS = "documents.jsonl";

  private final SparkSession spark;
  private final Path in;
  private final Path out;

  private ClusterMain(SparkSession spark, Path in, Path out) {
    this.spark = spark;
    this.in = in;
    this.out = out;
  }

  /** Latents whose profiles are compared; each costs a search for its nearest ones. */
  static ExplorerOptions explorer() {
    return ExplorerOptions.defaults().latents(IntStream.range(0, 20).boxed().toList());
  }

  static String json(Evaluation found) throws IOException {
    return new EvaluationReport("demo", found, Optional.empty(), Optional.empty()).json();
  }

  static String json(Exploration found) throws IOException {
    return new ExplorationReport(
            "demo", Optional.empty(), found, Optional.empty(), Optional.empty())
        .json();
  }

  public static void main(String[] args) throws Exception {
    int executors = Integer.parseInt(args[1]);
    SparkConf conf =
        SaeSpark.configure(
            LocalSpark.conf()
                .setMaster(args[0])
                .set("spark.cores.max", args[1])
                .set("spark.executor.cores", "1")
                .set("spark.executor.memory", "1g")
                .set("spark.default.parallelism", "4")
                .set(
                    "spark.executor.extraJavaOptions",
                    "-Dai.djl.offline=true " + SparkCluster.SHORT_LIVED));
    try (SparkSession spark = SparkSession.builder().config(conf).getOrCreate()) {
      ClusterMain driver = new ClusterMain(spark, Path.of(args[2]), Path.of(args[3]));
      for (String task : List.of(args).subList(4, args.length)) {
        driver.awaitExecutors(executors);
        System.out.println("BEGIN " + task);
        driver.run(task);
        System.out.println("DONE " + task);
      }
    }
  }

  /** The first in the list is the driver. */
  private void awaitExecutors(int count) throws InterruptedException {
    while (spark.sparkContext().statusTracker().getExecutorInfos().length <= count) {
      Thread.sleep(20);
    }
  }

  private void run(String task) throws Exception {
    switch (task) {
      case "encode" -> {
        SparkRuns runs = runs();
        runs.encode(open(runs), out.resolve("latents").toString(), ENCODE);
      }
      case "evaluate" -> {
        SparkRuns runs = runs();
        Evaluation found = runs.evaluate(open(runs), EvaluationRunOptions.defaults());
        Files.writeString(out.resolve("evaluation.json"), json(found));
      }
      case "explore" -> {
        SparkRuns runs = runs();
        Exploration found = runs.explore(open(runs), explorer());
        Files.writeString(out.resolve("exploration.json"), json(found));
      }
      case "activations" -> {
        SparkTextRuns texts = texts();
        texts.activations(
            contexts(texts), Bookworm.HOOKS, out.resolve("activations").toString(), TEXT);
      }
      case "text" -> evaluateText();
      default -> otherSae(task.substring(task.indexOf('=') + 1).split(","));
    }
  }

  private SparkTextRuns texts() throws IOException {
    return SparkTextRuns.on(spark, ModelRef.folder(Bookworm.MODEL.toString()));
  }

  private List<Tokens> contexts(SparkTextRuns texts) throws IOException {
    return Bookworm.contexts(texts.model(), in.resolveSibling(DOCUMENTS));
  }

  private SparkRuns runs() throws IOException {
    return SparkRuns.on(spark, SparkRows.ref());
  }

  private ActivationSource open(SparkRuns runs) throws IOException {
    return runs.open(List.of(in.toString()));
  }

  private void evaluateText() throws IOException {
    SparkTextRuns texts = texts();
    SparkRuns sae = SparkRuns.on(spark, SaeRef.folder(Bookworm.SAE_FOLDER.toString()));
    Evaluation found =
        texts.evaluate(
            sae,
            contexts(texts),
            out.resolve("scratch").toString(),
            TEXT,
            EvaluationRunOptions.defaults());
    Files.writeString(out.resolve("text-evaluation.json"), json(found));
  }

  /** The SAE of a folder changes after the driver has opened it, before an executor does. */
  private void otherSae(String[] folders) throws IOException {
    SparkRuns runs = SparkRuns.on(spark, SaeRef.folder(folders[0]));
    try (Stream<Path> files = Files.list(Path.of(folders[1]))) {
      for (Path file : files.toList()) {
        Path target = Path.of(folders[0]).resolve(file.getFileName());
        Path half = target.resolveSibling("half");
        Files.copy(file, half);
        Files.move(half, target, StandardCopyOption.REPLACE_EXISTING);
      }
    }
    try {
      runs.encode(open(runs), out.resolve("refused").toString(), ENCODE);
    } catch (SparkJobException e) {
      System.out.println("REFUSED " + e.getMessage());
    }
  }
}
