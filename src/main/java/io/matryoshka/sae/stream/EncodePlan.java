package io.matryoshka.sae.stream;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.internal.io.DiskFile;
import io.matryoshka.sae.store.StoredFile;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.function.ToLongFunction;
import java.util.regex.Pattern;

/**
 * A run of encoding cut into files of {@link EncodeOptions#rowsPerShard} rows, each of which can be
 * made alone, in any order and on any machine: the bytes of a file depend on the SAE, the
 * activations and the options alone. {@link EncodeRun} makes them one after the other in a folder
 * of the disk; who runs on several machines calls {@link #encode} there, between {@link #markBegun}
 * and {@link #markFinished}.
 *
 * <p>Safe for use by several threads, as long as no progress is told.
 */
public final class EncodePlan {

  /** The file that holds the settings from the start to the end of a run. */
  public static final String CHECKPOINT = "checkpoint.json";

  /** The file that takes the place of {@link #CHECKPOINT} when all others are there. */
  public static final String INDEX = "index.json";

  private static final Pattern SHARD = Pattern.compile("latents-\\d{5,}-of-\\d{5,}\\.safetensors");

  private final SAE sae;
  private final ActivationSource source;
  private final EncodeOptions options;
  private final int shards;
  private ObjectNode settings;

  private EncodePlan(SAE sae, ActivationSource source, EncodeOptions options, int shards) {
    this.sae = sae;
    this.source = source;
    this.options = options;
    this.shards = shards;
  }

  /**
   * Plans a run. Encodes nothing, and reads no activations.
   *
   * @param sae the SAE or a prefix view of it; stays open as long as the plan is used
   * @param source the activations, of the SAE's {@code d_in}
   * @param options how to encode
   * @return the plan
   * @throws IllegalArgumentException if the source or the mask does not fit, or there are more
   *     files than can be numbered
   * @throws IOException if the mask cannot be read
   */
  public static EncodePlan of(SAE sae, ActivationSource source, EncodeOptions options)
      throws IOException {
    BatchEncoder.requireFits(sae, source, options.rows());
    long count = -Math.floorDiv(-source.rows(), (long) options.rowsPerShard()); // rounded up
    if (count > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "%s rows in shards of %s are %s files; take more rows per shard"
              .formatted(source.rows(), options.rowsPerShard(), count));
    }
    return new EncodePlan(sae, source, options, (int) count);
  }

  /**
   * Returns the number of files.
   *
   * @return files, 0 without rows
   */
  public int shards() {
    return shards;
  }

  /**
   * Returns the first row of a file.
   *
   * @param shard number of the file; {@link #shards} gives the number of all rows
   * @return index of the row within the source
   */
  public long firstRow(int shard) {
    Objects.checkIndex(shard, shards + 1);
    return Math.min(source.rows(), (long) shard * options.rowsPerShard());
  }

  /**
   * Returns the name of a file.
   *
   * @param shard number of the file
   * @return such as {@code latents-00000-of-00012.safetensors}
   */
  public String fileName(int shard) {
    Objects.checkIndex(shard, shards);
    return String.format(Locale.ROOT, "latents-%05d-of-%05d.safetensors", shard, shards);
  }

  /**
   * Encodes the rows of one file and writes it.
   *
   * @param shard number of the file
   * @param folder where to put it under its {@link #fileName}, when it is complete; exists
   * @return its entry of the index
   * @throws ActivationException if a file of activations has changed, or a row cannot be encoded
   * @throws EncodeRunException if the file cannot be written
   * @throws IllegalArgumentException if it has more latents than one file holds
   * @throws IOException if the activations cannot be read
   */
  public EncodedShard encode(int shard, Path folder) throws IOException {
    Objects.checkIndex(shard, shards);
    encode(shard, shard + 1, folder);
    return finished(shard, new DiskFile(folder.resolve(fileName(shard))))
        .orElseThrow(
            () -> new EncodeRunException(changedByOthers(folder.resolve(fileName(shard)))));
  }

  /** Encodes the files of a range, without a pause between them. */
  void encode(int from, int to, Path folder) throws IOException {
    try (ShardSink sink = new ShardSink(this, folder, sae.dSae(), from, to)) {
      new EncodePipeline(sae, source, options).run(firstRow(from), firstRow(to), sink);
    }
  }

  static String changedByOthers(Path file) {
    return file
        + ": was changed or deleted by others while the run went on; run the same again to write it"
        + " again";
  }

  /**
   * Reads the header of a file that an earlier attempt may have written.
   *
   * @param shard number of the file
   * @param file where it would lie
   * @return its entry of the index; empty if it is missing, damaged, or not this file of the run
   * @throws IOException if the store cannot be read
   */
  public Optional<EncodedShard> finished(int shard, StoredFile file) throws IOException {
    return EncodedShard.read(file, firstRow(shard), firstRow(shard + 1) - firstRow(shard));
  }

  /**
   * Describes the run, by reading the ends of every file of activations once.
   *
   * @return the text of {@value #CHECKPOINT}
   * @throws IOException if a file of activations or the mask cannot be read
   */
  public String checkpoint() throws IOException {
    return RunRecord.text(RunRecord.header(options.saeName(), settings()));
  }

  /**
   * Checks that a folder holds this run, begun or finished.
   *
   * @param name the path or address of its {@value #CHECKPOINT} or {@value #INDEX}, for messages
   * @param text the content of that file
   * @throws EncodeRunException if the text is malformed, or belongs to a run with other settings,
   *     which the message names
   * @throws IOException if a file of activations or the mask cannot be read
   */
  public void requireSame(String name, String text) throws IOException {
    RunRecord.requireSame(name, RunRecord.parse(name, text), settings());
  }

  /**
   * Looks whether a folder holds this run, begun or finished. With {@link EncodeOptions#restart}
   * the files of any run are deleted, and nothing else.
   *
   * @param store the folder
   * @return true if finished files may be in it
   * @throws EncodeRunException if it holds a run with other settings, or files of an unknown one
   * @throws IOException if the store cannot be read, or a file cannot be deleted
   */
  public boolean resumes(RunStore store) throws IOException {
    boolean begun = false;
    for (String name : List.of(CHECKPOINT, INDEX)) {
      Optional<String> before = store.read(name);
      if (before.isPresent() && options.restart()) {
        RunRecord.parse(store.nameOf(name), before.get());
      } else if (before.isPresent()) {
        requireSame(store.nameOf(name), before.get());
      }
      begun |= before.isPresent();
    }
    List<String> shardFiles = store.files().stream().filter(SHARD.asMatchPredicate()).toList();
    if (options.restart()) {
      clear(store, shardFiles);
      return false;
    }
    if (!begun && !shardFiles.isEmpty()) {
      throw new EncodeRunException(
          ("%s: is of a run of which there is neither %s nor %s, so it is not known"
                  + " which; use another folder, or restart (--restart) to delete its files")
              .formatted(store.nameOf(shardFiles.get(0)), CHECKPOINT, INDEX));
    }
    return begun;
  }

  /**
   * The index goes first and the checkpoint last, so that what is left is never taken for whole.
   */
  private static void clear(RunStore store, List<String> shardFiles) throws IOException {
    store.delete(INDEX);
    for (String file : shardFiles) {
      store.delete(file);
    }
    store.delete(CHECKPOINT);
  }

  /**
   * Writes {@value #CHECKPOINT}, before the first file.
   *
   * @param store the folder
   * @throws IOException if it cannot be written
   */
  public void markBegun(RunStore store) throws IOException {
    store.write(CHECKPOINT, checkpoint());
    store.delete(INDEX);
  }

  /**
   * Writes {@value #INDEX} in place of {@value #CHECKPOINT}, after the last file.
   *
   * @param store the folder
   * @param all the entries of all files, in order
   * @throws IllegalArgumentException if a file is missing, or all rows were left out
   * @throws IOException if it cannot be written
   */
  public void markFinished(RunStore store, List<EncodedShard> all) throws IOException {
    store.write(INDEX, index(all));
    store.delete(CHECKPOINT);
  }

  /**
   * Makes the index of a finished run.
   *
   * @param all the entries of all files, in order
   * @return the text of {@value #INDEX}
   * @throws IllegalArgumentException if a file is missing, or all rows were left out
   * @throws IOException if a file of activations or the mask cannot be read
   */
  public String index(List<EncodedShard> all) throws IOException {
    requireAll(all);
    RowRules.requireCounted(
        source.rows(), sum(all, EncodedShard::maskedRows), sum(all, EncodedShard::nonFiniteRows));
    ObjectNode json = RunRecord.header(options.saeName(), settings());
    json.put("rows", source.rows());
    json.put("width", sae.dSae());
    json.put("entries", sum(all, EncodedShard::entries));
    json.put(EncodedShard.MASKED_ROWS, sum(all, EncodedShard::maskedRows));
    json.put(EncodedShard.NON_FINITE_ROWS, sum(all, EncodedShard::nonFiniteRows));
    ArrayNode list = json.putArray("shards");
    all.forEach(shard -> list.add(shard.toJson()));
    return RunRecord.text(json);
  }

  private void requireAll(List<EncodedShard> all) {
    boolean fits = all.size() == shards;
    for (int i = 0; fits && i < shards; i++) {
      fits = all.get(i).firstRow() == firstRow(i);
    }
    if (!fits) {
      throw new IllegalArgumentException(
          "index: expected the entries of all %d files in order, got those of %d: %s"
              .formatted(
                  shards, all.size(), all.stream().map(EncodedShard::fileName).limit(20).toList()));
    }
  }

  /**
   * Sums a finished run up.
   *
   * @param all the entries of all files
   * @param resumedRows rows that an earlier run had finished
   * @param elapsed the time of this run
   * @return what was done
   */
  public EncodeResult result(List<EncodedShard> all, long resumedRows, Duration elapsed) {
    return new EncodeResult(
        source.rows(),
        sum(all, EncodedShard::entries),
        sum(all, EncodedShard::maskedRows),
        sum(all, EncodedShard::nonFiniteRows),
        all.size(),
        resumedRows,
        elapsed);
  }

  private static long sum(List<EncodedShard> shards, ToLongFunction<EncodedShard> part) {
    return shards.stream().mapToLong(part).sum();
  }

  /** Read once, when first needed: tasks on other machines do without. */
  private synchronized ObjectNode settings() throws IOException {
    if (settings == null) {
      settings = RunSettings.of(sae, source, options);
    }
    return settings;
  }
}
