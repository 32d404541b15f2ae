package io.matryoshka.sae.spark;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.eval.Evaluation;
import io.matryoshka.sae.eval.EvaluationRunOptions;
import io.matryoshka.sae.lm.HookPoint;
import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.lm.PackingOptions;
import io.matryoshka.sae.lm.Tokens;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.RowMask;
import io.matryoshka.sae.stream.SourceOptions;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.SerializableConfiguration;

/**
 * Runs of texts through a language model on a cluster, with the values of one machine.
 *
 * <pre>{@code
 * SparkTextRuns texts = SparkTextRuns.on(spark, ModelRef.of("google/gemma-2-2b"));
 * texts.activations(contexts, List.of("blocks.12.hook_resid_post"), "s3a://bucket/activations/",
 *     TextRunOptions.defaults());
 * }</pre>
 *
 * <p>The driver holds the ids of all texts and cuts them into files; each task runs the model over
 * the texts of one. Faults end a job as those of {@link SparkRuns} do.
 */
public final class SparkTextRuns {

  private final JavaSparkContext spark;
  private final Configuration hadoop;
  private final ModelRef ref;
  private final LanguageModel model;

  private SparkTextRuns(JavaSparkContext spark, ModelRef ref, LanguageModel model) {
    this.spark = spark;
    this.hadoop = spark.hadoopConfiguration();
    this.ref = ref;
    this.model = model;
  }

  /**
   * Opens a language model on the driver for runs on a cluster.
   *
   * @param spark the session
   * @param model the model
   * @return the runs
   * @throws IOException if the model cannot be opened
   */
  public static SparkTextRuns on(SparkSession spark, ModelRef model) throws IOException {
    Objects.requireNonNull(model, "model");
    JavaSparkContext context = JavaSparkContext.fromSparkContext(spark.sparkContext());
    Configuration hadoop = context.hadoopConfiguration();
    ModelRef resolved = model.resolve(hadoop);
    LanguageModel open = OpenModels.get(resolved, hadoop);
    SaeSpark.warnOfMemory(context.getConf(), open);
    return new SparkTextRuns(context, resolved, open);
  }

  /**
   * Returns the model as the driver has it, which makes tokens of texts.
   *
   * @return the model, which is not to be closed
   */
  public LanguageModel model() {
    return model;
  }

  /**
   * Writes activations, with the values of {@link
   * io.matryoshka.sae.lm.ActivationExport#toFile(List, java.nio.file.Path)} to the last bit, in
   * files {@code activations-00000.safetensors} and so on. A run that was stopped goes on by the
   * same call, with the files that are missing. One run at a time may write to a folder. {@code
   * activations.json} is written last; a folder without it is not finished.
   *
   * @param texts the texts or packed contexts, at least one
   * @param hooks the hook points, at least one; tensors get these names
   * @param folder a path, or the URI of a folder; made if needed, holds one run
   * @param options type and size of the files
   * @return what was done
   * @throws SparkJobException if a text does not fit the model
   * @throws IllegalArgumentException if there is no such hook point, or the folder holds other
   *     activations
   * @throws IOException if the job fails, or a store cannot be read or written
   */
  public ActivationsResult activations(
      List<Tokens> texts, List<String> hooks, String folder, TextRunOptions options)
      throws IOException {
    return job(hooks, HadoopPaths.qualify(folder, hadoop), options)
        .run(texts, options.tokensPerFile());
  }

  /**
   * Evaluates an SAE on texts, with the figures of {@link
   * io.matryoshka.sae.eval.TextEvaluationRun}. Activations go through a folder that all hosts see,
   * and are deleted after; a run that fails leaves them, and the same call goes on with them. Rows
   * of special tokens are left out where the SAE was trained without them, unless the options have
   * a mask. Activations that were all there before, as of {@link #activations}, are read and left.
   *
   * @param runs the SAE
   * @param texts the texts or packed contexts, at least one
   * @param folder where the activations lie meanwhile, as in {@link #activations}
   * @param options type and size of the files, and whether they stay
   * @param evaluation batch, selection and which rows count
   * @return the metrics
   * @throws SparkJobException if a text does not fit the model, or a row cannot be encoded
   * @throws IllegalArgumentException if the SAE does not fit the model or is a transcoder, or the
   *     folder holds other activations
   * @throws IOException if the job fails, or a store cannot be read or written
   */
  public Evaluation evaluate(
      SparkRuns runs,
      List<Tokens> texts,
      String folder,
      TextRunOptions options,
      EvaluationRunOptions evaluation)
      throws IOException {
    SAE sae = runs.sae();
    if (sae.isTranscoder()) {
      throw new IllegalArgumentException(
          "%s is a transcoder, which is compared with the activations of its output; evaluate it from files"
              .formatted(sae));
    }
    model.requireFits(sae);
    SaeSpark.warnOfMemory(spark.getConf(), model, sae);
    SpecialTokens special = SpecialTokens.of(model);
    boolean masks = leavesOut(sae, special, options, evaluation);
    String hook = HookPoint.of(sae).toString();
    Path target = HadoopPaths.qualify(folder, hadoop);
    ExportJob job = job(List.of(hook), target, options);
    boolean wasFinished = job.run(texts, options.tokensPerFile()).wasFinished();
    ActivationSource source =
        runs.open(List.of(target.toString()), SourceOptions.of(sae).tensor(hook));
    StoreFolder maskFolder = StoreFolder.of(new Path(target, SpecialTokens.FOLDER), hadoop);
    EvaluationRunOptions rules = evaluation;
    if (masks) {
      RowMask mask = special.write(texts, maskFolder);
      rules = evaluation.rows(evaluation.rows().mask(mask));
    }
    Evaluation found = runs.evaluate(source, rules);
    if (masks && !options.keepsActivations()) {
      SpecialTokens.delete(maskFolder);
    }
    if (!options.keepsActivations() && !wasFinished) {
      job.delete(texts, options.tokensPerFile());
    }
    return found;
  }

  private static boolean leavesOut(
      SAE sae, SpecialTokens special, TextRunOptions options, EvaluationRunOptions evaluation) {
    if (options.skipsSpecialTokens()) {
      special.requireKnown();
    }
    boolean asked = options.skipsSpecialTokens() || PackingOptions.excludesSpecialTokens(sae);
    if (!asked || evaluation.rows().mask().isPresent()) {
      return false;
    }
    special.warnIfUnknown();
    return special.areKnown();
  }

  private ExportJob job(List<String> hooks, Path folder, TextRunOptions options)
      throws IOException {
    return new ExportJob(
        spark,
        new ExportInput(
            ref,
            new ArrayList<>(hooks),
            options.bfloat16(),
            folder.toString(),
            new SerializableConfiguration(hadoop)));
  }
}
