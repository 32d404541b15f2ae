package io.matryoshka.sae.spark;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.EncodeOptions;
import io.matryoshka.sae.stream.EncodePlan;
import io.matryoshka.sae.stream.EncodeResult;
import io.matryoshka.sae.stream.SourceOptions;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaSparkContext;
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

  private final JavaSparkContext spark;
  private final Configuration hadoop;
  private final SaeRef ref;
  private final SAE sae;

  private SparkRuns(JavaSparkContext spark, SaeRef ref, SAE sae) {
    this.spark = spark;
    this.hadoop = spark.hadoopConfiguration();
    this.ref = ref;
    this.sae = sae;
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
    JavaSparkContext context = JavaSparkContext.fromSparkContext(spark.sparkContext());
    SaeRef resolved = sae.resolve(context.hadoopConfiguration());
    SAE open = OpenSaes.get(resolved, context.hadoopConfiguration());
    SaeSpark.warnOfMemory(context.getConf(), open);
    return new SparkRuns(context, resolved, open);
  }

  /**
   * Returns the SAE as the driver has it.
   *
   * @return the SAE, which is not to be closed
   */
  public SAE sae() {
    return sae;
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
    return open(inputs, SourceOptions.of(sae));
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
    return ActivationSource.openStored(HadoopActivations.find(inputs, hadoop), options);
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
    Path target = HadoopPaths.qualify(folder, hadoop);
    EncodePlan plan = EncodePlan.of(sae, source, options);
    JobInput input = new JobInput(ref, source, source, options.rows(), hadoop);
    return new EncodeJob(spark, plan, StoreFolder.of(target, hadoop))
        .run(input, target.toString(), options);
  }
}
