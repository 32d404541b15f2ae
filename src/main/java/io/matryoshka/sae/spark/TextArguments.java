package io.matryoshka.sae.spark;

import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.lm.PackingOptions;
import io.matryoshka.sae.lm.TextFiles;
import io.matryoshka.sae.lm.TokenIdFile;
import io.matryoshka.sae.lm.Tokens;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.SparkSession;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options that name a language model and texts, and what is made of them. */
final class TextArguments {

  @Option(
      names = "--model",
      paramLabel = "MODEL",
      required = true,
      description = "Name, or path or URI of a folder.")
  private String model;

  @Option(
      names = "--bfloat16-products",
      description = "Multiply matrices of the model in bfloat16: faster on some, less exact.")
  private boolean bfloat16Products;

  @Mixin private HubArguments hub;

  @Option(
      names = "--ids",
      paramLabel = "FILE",
      description = "Token ids on the driver's disk: a JSON list of lists of ids.")
  private Path ids;

  @Option(
      names = "--text-file",
      paramLabel = "FILE",
      description =
          "A document on the driver's disk, or one on each line of a .jsonl file; may be given again.")
  private List<Path> files = new ArrayList<>();

  @Option(
      names = "--context-size",
      paramLabel = "N",
      description =
          "Tokens of a context of --text-file; default: 128, of an encoder what it takes.")
  private Integer contextSize;

  /** Starts Spark, or takes the session that spark-submit has set up. */
  SparkTextRuns start() throws IOException {
    if ((ids == null) == files.isEmpty()) {
      throw new IllegalArgumentException(
          "expected one of --text-file and --ids, got " + (ids == null ? "none" : "both"));
    }
    ModelRef ref = ModelRef.parse(model).bfloat16Products(bfloat16Products);
    ref = hub.revision().map(ref::revision).orElse(ref);
    ref = hub.isOffline() ? ref.offline(true) : ref;
    ref = hub.cacheDir().map(ref::cacheDir).orElse(ref);
    return SparkTextRuns.on(SparkSession.builder().appName("matryoshka-sae").getOrCreate(), ref);
  }

  /** Reads the texts, as the command line of one machine does. */
  List<Tokens> read(LanguageModel opened) throws IOException {
    if (ids != null) {
      return TokenIdFile.read(ids);
    }
    Optional<Integer> size = Optional.ofNullable(contextSize);
    int packed = size.orElse(PackingOptions.DEFAULT_CONTEXT_SIZE);
    PackingOptions packing = PackingOptions.of(packed, opened.config());
    List<Tokens> texts = TextFiles.contexts(files, opened, packing, size);
    if (texts.isEmpty()) {
      throw new IllegalArgumentException("--text-file: the files hold no text");
    }
    return texts;
  }
}
