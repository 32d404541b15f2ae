package io.matryoshka.sae.spark;

import io.matryoshka.sae.lm.ContextPacker;
import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.lm.PackingOptions;
import io.matryoshka.sae.lm.TextFiles;
import io.matryoshka.sae.lm.TokenIdFile;
import io.matryoshka.sae.lm.Tokens;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.SparkSession;
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

  @Option(names = "--revision", paramLabel = "REV", description = "Branch, tag or commit.")
  private String revision;

  @Option(names = "--offline", description = "Hosts use only what is in their caches.")
  private boolean offline;

  @Option(
      names = "--cache-dir",
      paramLabel = "FOLDER",
      description = "Cache of the Hub, the same path on every host.")
  private String cacheDir;

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
    ref = revision != null ? ref.revision(revision) : ref;
    ref = offline ? ref.offline(true) : ref;
    ref = cacheDir != null ? ref.cacheDir(cacheDir) : ref;
    return SparkTextRuns.on(SparkSession.builder().appName("matryoshka-sae").getOrCreate(), ref);
  }

  /** Reads the texts, as the command line of one machine does. */
  List<Tokens> read(LanguageModel opened) throws IOException {
    if (ids != null) {
      return TokenIdFile.read(ids);
    }
    List<Tokens> texts = opened.config().isEncoder() ? separate(opened) : packed(opened);
    if (texts.isEmpty()) {
      throw new IllegalArgumentException("--text-file: the files hold no text");
    }
    return texts;
  }

  private List<Tokens> packed(LanguageModel opened) throws IOException {
    int size = contextSize != null ? contextSize : PackingOptions.DEFAULT_CONTEXT_SIZE;
    ContextPacker packer = opened.packer(PackingOptions.of(size, opened.config()));
    List<Tokens> contexts = new ArrayList<>();
    for (Path file : files) {
      TextFiles.read(file, text -> contexts.addAll(packer.add(opened.tokensWithoutBos(text))));
    }
    packer.rest().ifPresent(contexts::add);
    return contexts;
  }

  private List<Tokens> separate(LanguageModel opened) throws IOException {
    int size = contextSize != null ? contextSize : opened.config().maxPositions();
    List<Tokens> texts = new ArrayList<>();
    for (Path file : files) {
      TextFiles.read(file, text -> texts.addAll(opened.tokensInParts(text, size)));
    }
    return texts;
  }
}
