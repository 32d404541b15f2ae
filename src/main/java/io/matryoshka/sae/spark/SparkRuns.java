package io.matryoshka.sae.spark;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.eval.Evaluation;
import io.matryoshka.sae.eval.EvaluationRun;
import io.matryoshka.sae.eval.EvaluationRunOptions;
import io.matryoshka.sae.explore.Exploration;
import io.matryoshka.sae.explore.Explorer;
import io.matryoshka.sae.explore.ExplorerOptions;
import io.matryoshka.sae.internal.spark.job.SaeJobs;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.EncodeOptions;
import io.matryoshka.sae.stream.EncodeResult;
import io.matryoshka.sae.stream.SourceOptions;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * The runs of the library on a cluster: encode, evaluate and explore, over activations on any file
 * system that Hadoop knows, with the options and the results of one machine.
 *
 * <pre>{@code
 * SparkRuns runs = SparkRuns.on(spark, SaeRef.of("gemma-2-2b-res-matryoshka-dc", "blocks.12.hook_resid_post"));
 * ActivationSource source = runs.open(List.of("s3a://bucket/activations/"));
 * runs.encode(source, "s3a://bucket/latents/", EncodeOptions.defaults());
 * }</pre>
 *
 * <p>The driver reads the headers of all files and cuts their rows into ranges; a range may span
 * files, so their sizes do not matter. Each task runs what one machine runs, on whole batches of a
 * range. Hosts that differ in their instruction sets may differ in the last bits of float32.
 *
 * <p>A fault of the input ends a job at its first occurrence, by a {@link SparkJobException}; a
 * lost executor or a store that does not answer for a moment is left to Spark, which tries again.
 */
public final class SparkRuns {

  private final SaeJobs jobs;

  private SparkRuns(SaeJobs jobs) {
    this.jobs = jobs;
  }

  /**
   * Opens an SAE on the driver for runs on a cluster.
   *
   * @param spark the session
   * @param sae the SAE
   * @return the runs
   * @throws IOException if the SAE cannot be opened
   */
  public static SparkRuns on(SparkSession spark, SaeRef sae) throws IOException {
    Objects.requireNonNull(sae, "sae");
    return new SparkRuns(SparkJobException.translate(() -> SaeJobs.on(spark, sae.host())));
  }

  /**
   * Returns the SAE as the driver has it.
   *
   * @return the SAE, which is not to be closed
   */
  public SAE sae() {
    return jobs.sae();
  }

  /**
   * Opens activations for the SAE.
   *
   * @param inputs files, folders that stand for the files in them in natural order, and patterns;
   *     paths, or URIs of any file system that Hadoop knows
   * @return the activations
   * @throws io.matryoshka.sae.stream.ActivationException if a file does not hold activations of
   *     this SAE
   * @throws IOException if a file is missing, unreadable or malformed
   */
  public ActivationSource open(List<String> inputs) throws IOException {
    return open(inputs, SourceOptions.of(sae()));
  }

  /**
   * Opens activations.
   *
   * @param inputs files, folders and patterns
   * @param options width, tensors and type
   * @return the activations
   * @throws io.matryoshka.sae.stream.ActivationException if a file does not hold such activations
   * @throws IOException if a file is missing, unreadable or malformed
   */
  public ActivationSource open(List<String> inputs, SourceOptions options) throws IOException {
    return jobs.open(inputs, options);
  }

  /**
   * Encodes to the files and the index of {@link io.matryoshka.sae.stream.EncodeRun#toFolder}, byte
   * for byte. A run that was stopped goes on by the same call, with the files that are missing. One
   * run at a time may write to a folder.
   *
   * @param source the activations
   * @param folder a path, or the URI of a folder; made if needed, holds one run
   * @param options how to encode; progress is not told
   * @return what was done
   * @throws SparkJobException if a file has changed or a row cannot be encoded
   * @throws io.matryoshka.sae.stream.EncodeRunException if the folder holds another run
   * @throws IllegalArgumentException if the source or the mask does not fit
   * @throws IOException if the job fails, or a store cannot be read or written
   */
  public EncodeResult encode(ActivationSource source, String folder, EncodeOptions options)
      throws IOException {
    return SparkJobException.translate(() -> jobs.encode(source, folder, options));
  }

  /**
   * Encodes to a data frame with a line for each row: {@code row} (bigint), {@code latents} (array
   * of int, rising) and {@code values} (array of float). Rows that do not count have empty arrays.
   * Nothing is computed before Spark is asked for rows.
   *
   * @param source the activations
   * @param options how to encode; a partition holds {@link EncodeOptions#rowsPerShard} rows,
   *     rounded up to whole batches
   * @return the data frame, in the order of the rows
   * @throws IllegalArgumentException if the source or the mask does not fit
   * @throws IOException if the mask cannot be read
   */
  public Dataset<Row> latents(ActivationSource source, EncodeOptions options) throws IOException {
    return jobs.latents(source, options);
  }

  /**
   * Writes {@link #latents} as Parquet files, compressed with zstd.
   *
   * @param source the activations
   * @param folder the folder to be; must not exist
   * @param options how to encode
   * @throws SparkJobException if a file has changed or a row cannot be encoded
   * @throws IOException if the job fails, as where the folder exists
   */
  public void encodeToParquet(ActivationSource source, String folder, EncodeOptions options)
      throws IOException {
    SparkJobException.translate(
        () -> {
          jobs.encodeToParquet(source, folder, options);
          return folder;
        });
  }

  /**
   * Evaluates the SAE, with the figures of {@link EvaluationRun#run}.
   *
   * @param source the activations
   * @param options evaluation batch, selection and which rows count; progress is not told, and no
   *     checkpoint is kept
   * @return the metrics
   * @throws SparkJobException if a file has changed or a row cannot be encoded
   * @throws IllegalArgumentException if the source or the mask does not fit
   * @throws IOException if the job fails
   */
  public Evaluation evaluate(ActivationSource source, EvaluationRunOptions options)
      throws IOException {
    return evaluate(source, source, options);
  }

  /**
   * Evaluates a transcoder against other activations of the same tokens.
   *
   * @param source what it reads
   * @param target what it should give, row for row
   * @param options evaluation batch, selection and which rows count
   * @return the metrics
   * @throws SparkJobException if a file has changed or a row cannot be encoded
   * @throws IllegalArgumentException if the sources or the mask do not fit
   * @throws IOException if the job fails
   */
  public Evaluation evaluate(
      ActivationSource source, ActivationSource target, EvaluationRunOptions options)
      throws IOException {
    return SparkJobException.translate(() -> jobs.evaluate(source, target, options));
  }

  /**
   * Explores the latents, with the results of {@link Explorer#explore}. Where more pairs of latents
   * fire together than {@link ExplorerOptions#maxPairs}, which of them are dropped depends on the
   * ranges. The first rows are read again by the driver, for absorption and examples.
   *
   * @param source the activations
   * @param options what to look for
   * @return what was found
   * @throws SparkJobException if a file has changed or a row cannot be encoded
   * @throws IllegalArgumentException if the source, the mask or a chosen latent does not fit
   * @throws IOException if the job fails
   */
  public Exploration explore(ActivationSource source, ExplorerOptions options) throws IOException {
    return SparkJobException.translate(() -> jobs.explore(source, options));
  }

  /** Returns the jobs, for those that read texts. */
  SaeJobs jobs() {
    return jobs;
  }
}
