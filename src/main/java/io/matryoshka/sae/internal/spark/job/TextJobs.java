package io.matryoshka.sae.internal.spark.job;

import io.matryoshka.sae.eval.Evaluation;
import io.matryoshka.sae.eval.EvaluationRunOptions;
import io.matryoshka.sae.internal.spark.host.HostModel;
import io.matryoshka.sae.internal.spark.host.JobFault;
import io.matryoshka.sae.internal.spark.host.MemoryCheck;
import io.matryoshka.sae.internal.spark.host.OpenModels;
import io.matryoshka.sae.internal.spark.store.HadoopPaths;
import io.matryoshka.sae.lm.HookPoint;
import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.lm.Tokens;
import io.matryoshka.sae.stream.ActivationSource;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.SerializableConfiguration;

/** The jobs of one language model over texts. A fault of the input is a {@code JobFault}. */
public final class TextJobs {

  private final JavaSparkContext spark;
  private final Configuration hadoop;
  private final HostModel host;
  private final LanguageModel model;

  private TextJobs(JavaSparkContext spark, HostModel host, LanguageModel model) {
    this.spark = spark;
    this.hadoop = spark.hadoopConfiguration();
    this.host = host;
    this.model = model;
  }

  /** Opens a language model on the driver. */
  public static TextJobs on(SparkSession session, HostModel model) throws IOException {
    JavaSparkContext spark = JavaSparkContext.fromSparkContext(session.sparkContext());
    HostModel resolved = model.resolve(spark.hadoopConfiguration());
    LanguageModel open = OpenModels.get(resolved, spark.hadoopConfiguration());
    MemoryCheck.warn(spark.getConf(), open);
    return new TextJobs(spark, resolved, open);
  }

  /** Returns the model as the driver has it; it is not to be closed. */
  public LanguageModel model() {
    return model;
  }

  /** Writes the activations of some hook points, and the index of their files. */
  public ExportJob.Written activations(
      List<Tokens> texts, List<String> hooks, TextSettings settings) throws IOException {
    requireFits(texts);
    return job(hooks, settings).run(texts, settings.tokensPerFile());
  }

  /** Checks all texts before a host begins with one. */
  private void requireFits(List<Tokens> texts) throws JobFault {
    try {
      model.requireFits(texts);
    } catch (IllegalArgumentException e) {
      throw new JobFault(e.getMessage(), e);
    }
  }

  private ExportJob job(List<String> hooks, TextSettings settings) throws IOException {
    return new ExportJob(
        spark,
        new ExportInput(
            host,
            new ArrayList<>(hooks),
            settings.bfloat16(),
            HadoopPaths.qualify(settings.folder(), hadoop).toString(),
            new SerializableConfiguration(hadoop)));
  }

  /** Runs texts up to the place that an SAE reads. */
  public TextRows rows(SaeJobs sae, List<Tokens> texts, TextSettings settings) throws IOException {
    model.requireFits(sae.sae());
    requireFits(texts);
    MemoryCheck.warn(spark.getConf(), model, sae.sae());
    SpecialTokens special = SpecialTokens.of(model);
    if (settings.skipsSpecialTokens()) {
      special.requireKnown();
    }
    ExportJob job = job(List.of(HookPoint.of(sae.sae()).toString()), settings);
    boolean wasFinished = job.run(texts, settings.tokensPerFile()).wasFinished();
    return new TextRows(sae, texts, settings, special, job, wasFinished, hadoop);
  }

  /** Evaluates an SAE on texts. */
  public Evaluation evaluate(
      SaeJobs sae, List<Tokens> texts, TextSettings settings, EvaluationRunOptions options)
      throws IOException {
    if (sae.sae().isTranscoder()) {
      throw new IllegalArgumentException(
          "%s is a transcoder, which is compared with the activations of its output; evaluate it from files"
              .formatted(sae.sae()));
    }
    TextRows rows = rows(sae, texts, settings);
    ActivationSource source = rows.open();
    Evaluation found =
        sae.evaluate(source, source, options.rows(rows.withoutSpecial(options.rows())));
    rows.deleteUnlessKept();
    return found;
  }
}
