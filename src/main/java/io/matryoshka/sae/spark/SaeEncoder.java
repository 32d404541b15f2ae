package io.matryoshka.sae.spark;

import io.matryoshka.sae.Selection;
import io.matryoshka.sae.internal.spark.host.Devices;
import io.matryoshka.sae.internal.spark.host.HostSae;
import io.matryoshka.sae.internal.spark.host.Selections;
import io.matryoshka.sae.internal.spark.ml.EncoderColumns;
import io.matryoshka.sae.internal.spark.ml.InvalidRows;
import io.matryoshka.sae.internal.spark.ml.OutputType;
import io.matryoshka.sae.internal.spark.ml.PartitionEncoder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Objects;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.ml.Transformer;
import org.apache.spark.ml.param.BooleanParam;
import org.apache.spark.ml.param.IntParam;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.ml.util.DefaultParamsWritable;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.SerializableConfiguration;

/**
 * Encodes a column of model activations to a column of sparse latents, as a stage of a pipeline.
 *
 * <pre>{@code
 * SaeEncoder encoder = new SaeEncoder().setSae("gemma-2-2b-res-matryoshka-dc:blocks.12.hook_resid_post");
 * encoder.transform(activations).write().parquet("s3a://bucket/latents.parquet");
 * }</pre>
 *
 * <ul>
 *   <li>The input column is an {@code array<float>} or {@code array<double>} of {@code d_in}
 *       numbers, or a vector of Spark ML; or an array of such arrays, one for each token of a
 *       sequence. Numbers are rounded to float32.
 *   <li>The output column is a {@code struct<latents: array<int>, values: array<float>>} of the
 *       active latents, in rising order, with their activations; or a sparse vector of Spark ML,
 *       which holds doubles. For a sequence it is an array of these.
 *   <li>The input column is left out unless {@link #setKeepInput} asks for it: it is some hundred
 *       times as large as the output.
 * </ul>
 *
 * <p>Rows are encoded in batches as they come in a partition; the latents of a row do not depend on
 * them, so {@link Selection#batchTopK} is refused. The SAE is opened once per executor, by name.
 */
public final class SaeEncoder extends Transformer implements DefaultParamsWritable {

  private static final long serialVersionUID = 1;
  private static final int DEFAULT_BATCH_ROWS = 1024;

  /** The name of the stage. */
  private final String uid;

  /** The SAE, by name. */
  private final Param<String> sae;

  /** The column of activations. */
  private final Param<String> inputCol;

  /** The column of latents. */
  private final Param<String> outputCol;

  /** Which latents are kept. */
  private final Param<String> selection;

  /** What the column of latents holds. */
  private final Param<String> outputType;

  /** What happens to rows that cannot be encoded. */
  private final Param<String> handleInvalid;

  /** Where each host computes. */
  private final Param<String> device;

  /** How many latents are loaded. */
  private final IntParam prefix;

  /** How many activations are encoded together. */
  private final IntParam batchRows;

  /** Whether the column of activations is kept. */
  private final BooleanParam keepInput;

  /** Makes an encoder with a name of its own. */
  public SaeEncoder() {
    this("saeEncoder_" + UUID.randomUUID().toString().substring(24));
  }

  /**
   * Makes an encoder, as Spark does when it reads a pipeline.
   *
   * @param uid the name of the stage
   */
  public SaeEncoder(String uid) {
    this.uid = Objects.requireNonNull(uid, "uid");
    sae = text("sae", "the SAE: RELEASE:SAE_ID, or the path or URI of its folder");
    inputCol = text("inputCol", "column of model activations");
    outputCol = text("outputCol", "column of sparse latents");
    selection = text("selection", "threshold or topK(K); empty for the SAE's own rule");
    outputType = text("outputType", "struct or vector");
    handleInvalid = text("handleInvalid", "rows that cannot be encoded: error or skip");
    device = text("device", "cpu, gpu or gpu:N on every host");
    prefix = new IntParam(this, "prefix", "leading latents that are loaded; 0 for all");
    batchRows = new IntParam(this, "batchRows", "activations encoded together");
    keepInput = new BooleanParam(this, "keepInput", "whether the input column is kept");
    setDefault(inputCol, "activation");
    setDefault(outputCol, "latents");
    setDefault(selection, "");
    setDefault(outputType, OutputType.STRUCT.key());
    setDefault(handleInvalid, InvalidRows.ERROR.key());
    setDefault(device, "cpu");
    setDefault(prefix, 0);
    setDefault(batchRows, DEFAULT_BATCH_ROWS);
    setDefault(keepInput, false);
  }

  private Param<String> text(String name, String doc) {
    return new Param<>(this, name, doc);
  }

  /**
   * Reads encoders that were saved.
   *
   * @return the reader
   */
  public static MLReader<SaeEncoder> read() {
    return new DefaultParamsReader<>();
  }

  /**
   * Reads an encoder that was saved.
   *
   * @param path its folder
   * @return the encoder
   */
  public static SaeEncoder load(String path) {
    return read().load(path);
  }

  /**
   * Returns the name of the stage.
   *
   * @return the name
   */
  @Override
  public String uid() {
    return uid;
  }

  /**
   * Returns the parameter that names the SAE.
   *
   * @return the parameter
   */
  public Param<String> sae() {
    return sae;
  }

  /**
   * Sets the SAE.
   *
   * @param name {@code RELEASE:SAE_ID}, or the path or URI of its folder
   * @return this
   * @throws IllegalArgumentException if it is neither
   */
  public SaeEncoder setSae(String name) {
    SaeRef.parse(name);
    set(sae, name);
    return this;
  }

  /**
   * Returns the parameter that names the column of activations.
   *
   * @return the parameter
   */
  public Param<String> inputCol() {
    return inputCol;
  }

  /**
   * Sets the column of activations.
   *
   * @param column a name, {@code activation} by default
   * @return this
   */
  public SaeEncoder setInputCol(String column) {
    set(inputCol, column);
    return this;
  }

  /**
   * Returns the parameter that names the column of latents.
   *
   * @return the parameter
   */
  public Param<String> outputCol() {
    return outputCol;
  }

  /**
   * Sets the column of latents.
   *
   * @param column a name, {@code latents} by default
   * @return this
   */
  public SaeEncoder setOutputCol(String column) {
    set(outputCol, column);
    return this;
  }

  /**
   * Returns the parameter that says which latents are kept.
   *
   * @return the parameter
   */
  public Param<String> selection() {
    return selection;
  }

  /**
   * Sets which latents are kept, instead of the SAE's own rule.
   *
   * @param rule the threshold, or the largest of each activation
   * @return this
   * @throws IllegalArgumentException if the rule depends on the batch, which a partition has not
   */
  public SaeEncoder setSelection(Selection rule) {
    requireRowByRow(rule);
    set(selection, rule.toString());
    return this;
  }

  private static void requireRowByRow(Selection rule) {
    if (rule.dependsOnBatch()) {
      throw new IllegalArgumentException(
          ("%s depends on which rows are encoded together, and a partition has no batches of its"
                  + " own; take topK(K), or the job SparkRuns.encode")
              .formatted(rule));
    }
  }

  /**
   * Returns the parameter that says what the output column holds.
   *
   * @return the parameter
   */
  public Param<String> outputType() {
    return outputType;
  }

  /**
   * Sets what the output column holds.
   *
   * @param type {@code struct}, the default, or {@code vector}
   * @return this
   * @throws IllegalArgumentException if it is neither
   */
  public SaeEncoder setOutputType(String type) {
    set(outputType, OutputType.of(type).key());
    return this;
  }

  /**
   * Returns the parameter that says what happens to rows that cannot be encoded.
   *
   * @return the parameter
   */
  public Param<String> handleInvalid() {
    return handleInvalid;
  }

  /**
   * Sets what happens to rows that are missing, not finite, or become so when they are normalised.
   *
   * @param how {@code error}, the default, or {@code skip} to leave such rows out
   * @return this
   * @throws IllegalArgumentException if it is neither
   */
  public SaeEncoder setHandleInvalid(String how) {
    set(handleInvalid, InvalidRows.of(how).key());
    return this;
  }

  /**
   * Returns the parameter that names the device.
   *
   * @return the parameter
   */
  public Param<String> device() {
    return device;
  }

  /**
   * Sets where each host computes.
   *
   * @param name {@code cpu}, the default, {@code gpu} or {@code gpu:N}
   * @return this
   */
  public SaeEncoder setDevice(String name) {
    set(device, name);
    return this;
  }

  /**
   * Returns the parameter that says how many latents are loaded.
   *
   * @return the parameter
   */
  public IntParam prefix() {
    return prefix;
  }

  /**
   * Loads only a prefix of the SAE.
   *
   * @param width number of leading latents, 0 for all
   * @return this
   */
  public SaeEncoder setPrefix(int width) {
    set(prefix, width);
    return this;
  }

  /**
   * Returns the parameter that says how many activations are encoded together.
   *
   * @return the parameter
   */
  public IntParam batchRows() {
    return batchRows;
  }

  /**
   * Sets how many activations are encoded together.
   *
   * @param rows 1024 by default
   * @return this
   * @throws IllegalArgumentException if {@code rows < 1}
   */
  public SaeEncoder setBatchRows(int rows) {
    if (rows < 1) {
      throw new IllegalArgumentException("batchRows must be at least 1, got " + rows);
    }
    set(batchRows, rows);
    return this;
  }

  /**
   * Returns the parameter that says whether the input column is kept.
   *
   * @return the parameter
   */
  public BooleanParam keepInput() {
    return keepInput;
  }

  /**
   * Sets whether the input column is kept.
   *
   * @param keep false by default
   * @return this
   */
  public SaeEncoder setKeepInput(boolean keep) {
    set(keepInput, keep);
    return this;
  }

  /**
   * Encodes.
   *
   * @param dataset rows with a column of activations
   * @return the other columns and one of latents
   * @throws IllegalArgumentException if the columns do not fit, or no SAE is set
   * @throws UncheckedIOException if the SAE cannot be opened on the driver
   */
  @Override
  public Dataset<Row> transform(Dataset<?> dataset) {
    EncoderColumns columns = columns(dataset.schema());
    JavaSparkContext spark =
        JavaSparkContext.fromSparkContext(dataset.sparkSession().sparkContext());
    Configuration hadoop = spark.hadoopConfiguration();
    PartitionEncoder encoder =
        new PartitionEncoder(
            resolve(hadoop),
            spark.broadcast(new SerializableConfiguration(hadoop)),
            columns,
            getOrDefault(selection),
            InvalidRows.of(getOrDefault(handleInvalid)),
            (Integer) getOrDefault((Param<?>) batchRows));
    return columns.prepare(dataset).mapPartitions(encoder, Encoders.row(columns.output()));
  }

  private HostSae resolve(Configuration hadoop) {
    if (!isSet(sae)) {
      throw new IllegalArgumentException(
          "no SAE is set; name one with setSae(\"RELEASE:SAE_ID\") or by its folder");
    }
    HostSae host =
        SaeRef.parse(getOrDefault(sae)).host().device(Devices.parse(getOrDefault(device)));
    int width = (Integer) getOrDefault((Param<?>) prefix);
    try {
      return (width > 0 ? host.prefix(width) : host).resolve(hadoop);
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
  }

  private EncoderColumns columns(StructType schema) {
    Selections.parse(getOrDefault(selection)).ifPresent(SaeEncoder::requireRowByRow);
    return EncoderColumns.of(
        schema,
        getOrDefault(inputCol),
        getOrDefault(outputCol),
        OutputType.of(getOrDefault(outputType)),
        (Boolean) getOrDefault((Param<?>) keepInput));
  }

  /**
   * Says which columns {@link #transform} gives.
   *
   * @param schema the columns of the input
   * @return those of the output
   * @throws IllegalArgumentException if the columns do not fit
   */
  @Override
  public StructType transformSchema(StructType schema) {
    return columns(schema).output();
  }

  /**
   * Returns a copy.
   *
   * @param extra parameters that the copy has in place of those of this
   * @return the copy
   */
  @Override
  public SaeEncoder copy(ParamMap extra) {
    return defaultCopy(extra);
  }
}
