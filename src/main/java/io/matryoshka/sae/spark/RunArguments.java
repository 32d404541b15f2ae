package io.matryoshka.sae.spark;

import io.matryoshka.sae.Selection;
import io.matryoshka.sae.npy.HalfType;
import io.matryoshka.sae.store.StoredFile;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.RowMask;
import io.matryoshka.sae.stream.RowRules;
import io.matryoshka.sae.stream.SourceOptions;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.SparkSession;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What encode, evaluate and explore take alike, and what is made of it. */
final class RunArguments {

  @Mixin private SaeArguments sae;

  @Option(
      names = {"-i", "--input"},
      paramLabel = "URI",
      required = true,
      description = "Files of activations, folders of them, or patterns; may be given again.")
  private List<String> inputs = new ArrayList<>();

  @Option(names = "--tensor", paramLabel = "NAME", description = "Tensors of safetensors files.")
  private String tensor;

  @Option(
      names = "--as",
      paramLabel = "TYPE",
      description = "float16 or bfloat16, for two-byte values of files that do not tell.")
  private HalfType bits;

  @Option(
      names = "--mask",
      paramLabel = "URI",
      description = "One number per row; 0 leaves it out.")
  private String mask;

  @Option(names = "--mask-tensor", paramLabel = "NAME", description = "Tensor of the mask.")
  private String maskTensor;

  @Option(names = "--skip-non-finite", description = "Leave out rows with a NaN or an infinity.")
  private boolean skipNonFinite;

  @Option(names = "--top-k", paramLabel = "K", description = "Keep the K largest of each token.")
  private Integer topK;

  @Option(
      names = "--batch-top-k",
      paramLabel = "K",
      description = "Keep the K * rows largest of each batch.")
  private Integer batchTopK;

  private SparkSession session;

  /** Starts Spark, or takes the session that spark-submit has set up. */
  SparkRuns start() throws IOException {
    SaeRef ref = sae.ref();
    session = SparkSession.builder().appName("matryoshka-sae").getOrCreate();
    return SparkRuns.on(session, ref);
  }

  ActivationSource open(SparkRuns runs) throws IOException {
    return open(runs, inputs, SourceOptions.of(runs.sae()));
  }

  /** Opens other activations of the same tokens. */
  ActivationSource open(SparkRuns runs, List<String> files, SourceOptions options)
      throws IOException {
    SourceOptions how = tensor != null ? options.tensor(tensor) : options;
    return runs.open(files, bits != null ? how.bits(bits) : how);
  }

  RowRules rows() throws IOException {
    RowRules rules = RowRules.all().skipNonFinite(skipNonFinite);
    if (mask == null) {
      return rules;
    }
    Configuration hadoop = session.sparkContext().hadoopConfiguration();
    StoredFile file = FileRef.of(HadoopPaths.qualify(mask, hadoop)).file(hadoop);
    return rules.mask(RowMask.open(file, Optional.ofNullable(maskTensor)));
  }

  Optional<Selection> selection() {
    if (topK != null && batchTopK != null) {
      throw new IllegalArgumentException("--top-k and --batch-top-k: give one of them");
    }
    return topK != null
        ? Optional.of(Selection.topK(topK))
        : Optional.ofNullable(batchTopK).map(Selection::batchTopK);
  }

  String name() {
    return sae.ref().name();
  }

  /** Writes a text to a file that was asked for. */
  void write(String target, String text) throws IOException {
    if (target != null) {
      Configuration hadoop = session.sparkContext().hadoopConfiguration();
      Path path = HadoopPaths.qualify(target, hadoop);
      StoreFolder.of(path.getParent(), hadoop).write(path.getName(), text);
    }
  }
}
