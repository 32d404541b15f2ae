package io.matryoshka.sae.spark;

import io.matryoshka.sae.eval.Evaluation;
import io.matryoshka.sae.eval.EvaluationRunOptions;
import io.matryoshka.sae.internal.spark.job.ExportJob;
import io.matryoshka.sae.internal.spark.job.TextJobs;
import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.lm.Tokens;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import org.apache.spark.sql.SparkSession;

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

  private final TextJobs jobs;

  private SparkTextRuns(TextJobs jobs) {
    this.jobs = jobs;
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
    return new SparkTextRuns(SparkJobException.translate(() -> TextJobs.on(spark, model.host())));
  }

  /**
   * Returns the model as the driver has it, which makes tokens of texts.
   *
   * @return the model, which is not to be closed
   */
  public LanguageModel model() {
    return jobs.model();
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
    ExportJob.Written done =
        SparkJobException.translate(() -> jobs.activations(texts, hooks, options.settings(folder)));
    return new ActivationsResult(done.rows(), done.files(), done.resumedFiles());
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
    return SparkJobException.translate(
        () -> jobs.evaluate(runs.jobs(), texts, options.settings(folder), evaluation));
  }
}
