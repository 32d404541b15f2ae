package io.matryoshka.sae.internal.spark.job;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.internal.spark.store.StoreFolder;
import io.matryoshka.sae.lm.ActivationExport;
import io.matryoshka.sae.lm.Tokens;
import io.matryoshka.sae.safetensors.SafetensorsException;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;

/**
 * The driver's side of an export: looks which files are there, has the others written, and then
 * writes the index.
 */
public final class ExportJob {

  /** The name of the file that is written last. */
  public static final String INDEX = "activations.json";

  /**
   * What a run has done.
   *
   * @param rows rows in all files, one for each token
   * @param files files of the folder
   * @param resumedFiles files that an earlier run had written
   */
  public record Written(long rows, int files, int resumedFiles) {

    /** Whether nothing was left to do. */
    boolean wasFinished() {
      return resumedFiles == files;
    }
  }

  private final JavaSparkContext spark;
  private final ExportInput input;
  private final ActivationExport export;
  private final StoreFolder store;

  ExportJob(JavaSparkContext spark, ExportInput input) throws IOException {
    this.spark = spark;
    this.input = input;
    this.export = input.export();
    this.store = input.store();
  }

  Written run(List<Tokens> texts, int tokensPerFile) throws IOException {
    if (texts.isEmpty()) {
      throw new IllegalArgumentException("expected at least one text, got none");
    }
    List<TextShard> shards = TextShard.cut(texts, tokensPerFile);
    store.create();
    List<TextShard> missing = missing(shards);
    if (!missing.isEmpty()) {
      store.delete(INDEX);
      write(missing);
    }
    requireAll(shards);
    long rows = texts.stream().mapToLong(Tokens::size).sum();
    store.write(INDEX, index(shards, texts.size(), rows));
    store.removeHalves();
    return new Written(rows, shards.size(), shards.size() - missing.size());
  }

  /** Deletes the files of a run, and the folder if it holds nothing else. */
  void delete(List<Tokens> texts, int tokensPerFile) throws IOException {
    store.delete(INDEX);
    for (TextShard shard : TextShard.cut(texts, tokensPerFile)) {
      store.delete(shard.fileName());
    }
    store.deleteIfEmpty();
  }

  /** Which files must be written; one that is damaged is written again. */
  private List<TextShard> missing(List<TextShard> shards) throws IOException {
    Set<String> found = activationFiles();
    List<TextShard> missing = new ArrayList<>();
    for (TextShard shard : shards) {
      if (!found.remove(shard.fileName()) || !isWhole(shard)) {
        missing.add(shard);
      }
    }
    if (!found.isEmpty()) {
      throw foreign(found.iterator().next(), "this run writes no file of that name");
    }
    return missing;
  }

  /** The files that are read as activations where the folder is given. */
  private Set<String> activationFiles() throws IOException {
    return store.files().stream()
        .filter(name -> name.endsWith(".safetensors") || name.endsWith(".npy"))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private boolean isWhole(TextShard shard) throws IOException {
    Optional<String> difference;
    try (SafetensorsFile file = SafetensorsFile.open(store.file(shard.fileName()).open())) {
      difference = export.difference(file, shard.texts());
    } catch (SafetensorsException e) {
      return false;
    }
    if (difference.isPresent()) {
      throw foreign(shard.fileName(), difference.get());
    }
    return true;
  }

  private IllegalArgumentException foreign(String file, String difference) {
    return new IllegalArgumentException(ActivationExport.foreign(store.nameOf(file), difference));
  }

  private void write(List<TextShard> missing) throws IOException {
    Broadcast<ExportInput> broadcast = spark.broadcast(input);
    try {
      JobGuard.run(
          spark,
          "activations",
          () -> {
            spark.parallelize(missing, missing.size()).foreach(new ExportTask(broadcast));
            return null;
          });
    } finally {
      broadcast.destroy();
    }
  }

  private void requireAll(List<TextShard> shards) throws IOException {
    Set<String> found = activationFiles();
    for (TextShard shard : shards) {
      if (!found.contains(shard.fileName())) {
        throw new IOException(
            store.nameOf(shard.fileName())
                + ": was deleted by others while the run went on; run the same again");
      }
    }
  }

  private String index(List<TextShard> shards, int texts, long rows) {
    ObjectNode index = new ObjectMapper().createObjectNode();
    index.put("model", input.model().name());
    ArrayNode hooks = index.putArray("hooks");
    input.hooks().forEach(hooks::add);
    index.put("dtype", input.bfloat16() ? "bfloat16" : "float32");
    index.put("texts", texts);
    index.put("rows", rows);
    ArrayNode files = index.putArray("files");
    shards.forEach(shard -> files.add(shard.fileName()));
    return index.toPrettyString() + "\n";
  }
}
