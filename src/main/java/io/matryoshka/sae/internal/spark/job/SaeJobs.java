package io.matryoshka.sae.internal.spark.job;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.eval.Evaluation;
import io.matryoshka.sae.eval.EvaluationRun;
import io.matryoshka.sae.eval.EvaluationRunOptions;
import io.matryoshka.sae.eval.LatentStatistics;
import io.matryoshka.sae.explore.Exploration;
import io.matryoshka.sae.explore.ExplorationPart;
import io.matryoshka.sae.explore.Explorer;
import io.matryoshka.sae.explore.ExplorerOptions;
import io.matryoshka.sae.internal.spark.host.HostSae;
import io.matryoshka.sae.internal.spark.host.MemoryCheck;
import io.matryoshka.sae.internal.spark.host.OpenSaes;
import io.matryoshka.sae.internal.spark.store.HadoopActivations;
import io.matryoshka.sae.internal.spark.store.HadoopPaths;
import io.matryoshka.sae.internal.spark.store.StoreFolder;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.EncodeOptions;
import io.matryoshka.sae.stream.EncodePlan;
import io.matryoshka.sae.stream.EncodeResult;
import io.matryoshka.sae.stream.RowRules;
import io.matryoshka.sae.stream.SourceOptions;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** The jobs of one SAE over files of activations. A fault of the input is a {@code JobFault}. */
public final class SaeJobs {

  private final SparkSession session;
  private final JavaSparkContext spark;
  private final Configuration hadoop;
  private final HostSae host;
  private final SAE sae;

  private SaeJobs(SparkSession session, JavaSparkContext spark, HostSae host, SAE sae) {
    this.session = session;
    this.spark = spark;
    this.hadoop = spark.hadoopConfiguration();
    this.host = host;
    this.sae = sae;
  }

  /** Opens an SAE on the driver. */
  public static SaeJobs on(SparkSession session, HostSae sae) throws IOException {
    JavaSparkContext spark = JavaSparkContext.fromSparkContext(session.sparkContext());
    HostSae resolved = sae.resolve(spark.hadoopConfiguration());
    SAE open = OpenSaes.get(resolved, spark.hadoopConfiguration());
    MemoryCheck.warn(spark.getConf(), open);
    return new SaeJobs(session, spark, resolved, open);
  }

  /** Returns the SAE as the driver has it; it is not to be closed. */
  public SAE sae() {
    return sae;
  }

  /** Opens activations, by paths, URIs and patterns. */
  public ActivationSource open(List<String> inputs, SourceOptions options) throws IOException {
    return ActivationSource.openStored(HadoopActivations.find(inputs, hadoop), options);
  }

  /** Writes the files and the index of a run of encoding. */
  public EncodeResult encode(ActivationSource source, String folder, EncodeOptions options)
      throws IOException {
    Path target = HadoopPaths.qualify(folder, hadoop);
    EncodePlan plan = EncodePlan.of(sae, source, options);
    return new EncodeJob(spark, plan, StoreFolder.of(target, hadoop))
        .run(input(source, source, options.rows()), target.toString(), options);
  }

  private JobInput input(ActivationSource source, ActivationSource target, RowRules rows)
      throws IOException {
    return new JobInput(host, source, target, rows, hadoop);
  }

  /** Encodes to a data frame with a line for each row, once it is asked for rows. */
  public Dataset<Row> latents(ActivationSource source, EncodeOptions options) throws IOException {
    EncodePlan.of(sae, source, options);
    int batch = options.batchRows();
    long perRange = ((long) options.rowsPerShard() + batch - 1) / batch * batch;
    List<RowRange> ranges = new ArrayList<>();
    for (long from = 0; from < source.rows(); from += perRange) {
      ranges.add(new RowRange(ranges.size(), from, Math.min(source.rows(), from + perRange)));
    }
    LatentRows encoder =
        new LatentRows(
            spark.broadcast(input(source, source, options.rows())), options.selection(), batch);
    return session.createDataFrame(
        spark.parallelize(ranges, Math.max(1, ranges.size())).flatMap(encoder), LatentRows.SCHEMA);
  }

  /** Writes the rows of {@link #latents} as Parquet files. */
  public void encodeToParquet(ActivationSource source, String folder, EncodeOptions options)
      throws IOException {
    Dataset<Row> latents = latents(source, options);
    JobGuard.run(
        spark,
        "encode",
        () -> {
          latents.write().option("compression", "zstd").parquet(folder);
          return folder;
        });
  }

  /** Evaluates against a target, which is the source itself but for a transcoder. */
  public Evaluation evaluate(
      ActivationSource source, ActivationSource target, EvaluationRunOptions options)
      throws IOException {
    EvaluationRun.part(sae, source, target, options, 0, 0); // Checks that all fits.
    Evaluation found =
        new RangeJob<>(spark, EvaluationParts.of(options.evaluation()))
            .run(input(source, target, options.rows()), "evaluate", source.rows())
            .result();
    RowRules.requireCounted(source.rows(), found.maskedRows(), found.nonFiniteRows());
    return found;
  }

  /** Explores the latents; the driver reads the first rows again. */
  public Exploration explore(ActivationSource source, ExplorerOptions options) throws IOException {
    Explorer explorer = new Explorer(sae);
    explorer.part(source, options, 0, 0); // Checks that all fits.
    ExplorationPart all =
        new RangeJob<>(spark, ExplorationParts.of(options))
            .run(input(source, source, options.rows()), "explore", source.rows());
    return explorer.finish(all, source, options);
  }

  /** Counts how often and how strongly each latent fires. */
  public LatentStatistics count(ActivationSource source, RowRules rows) throws IOException {
    ExplorerOptions options = ExplorerOptions.defaults().rows(rows);
    new Explorer(sae).countPart(source, options, 0, 0); // Checks that all fits.
    LatentStatistics found =
        new RangeJob<>(spark, new FiringParts(options.rowsPerBatch()))
            .run(input(source, source, rows), "count", source.rows())
            .statistics();
    long masked = rows.mask().isPresent() ? source.rows() - rows.mask().get().countKept() : 0;
    RowRules.requireCounted(source.rows(), masked, source.rows() - masked - found.rows());
    return found;
  }
}
