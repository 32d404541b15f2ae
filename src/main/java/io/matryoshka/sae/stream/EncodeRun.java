package io.matryoshka.sae.stream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.SAE;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.ToLongFunction;

/**
 * Encodes a source of activations to files of sparse latents, at the speed of the SAE and with
 * bounded memory: two batches of activations, three of latents, and 8 bytes per row of a shard.
 *
 * <p>The files of a run depend on the SAE, the activations and the options alone, not on
 * interruptions, and but for {@link io.matryoshka.sae.Selection#batchTopK} not on the size of a
 * batch. (The reference engine rounds by the size of a batch; the fast engine does not.)
 */
public final class EncodeRun {

  private static final String FORMAT = "matryoshka-sae/encode-run";
  private static final int VERSION = 1;

  private final SAE sae;
  private final ActivationSource source;
  private final EncodeOptions options;

  private EncodeRun(SAE sae, ActivationSource source, EncodeOptions options) {
    this.sae = sae;
    this.source = source;
    this.options = options;
  }

  /**
   * Encodes to one file, as {@link io.matryoshka.sae.SparseLatents#save} writes it. An interrupted
   * run leaves no file and begins again. The latents have the leading shape of the source if that
   * is one array.
   *
   * @param sae the SAE or a prefix view of it
   * @param source the activations, of the SAE's {@code d_in}
   * @param file the file, replaced when all is written
   * @param options how to encode; what concerns shards is ignored
   * @return what was done
   * @throws IllegalArgumentException if the source or the mask does not fit, or the source has more
   *     rows or latents than one file holds
   * @throws ActivationException if a file changes meanwhile, or a row is not finite
   * @throws EncodeRunException if the file cannot be written
   * @throws IOException if the activations cannot be read
   */
  public static EncodeResult toFile(
      SAE sae, ActivationSource source, Path file, EncodeOptions options) throws IOException {
    long start = System.nanoTime();
    try (FileSink sink = new FileSink(file, sae.dSae())) {
      new EncodePipeline(sae, source, options).run(0, sink);
      RowRules.requireCounted(source.rows(), sink.maskedRows(), sink.nonFiniteRows());
      sink.finish(source);
      Duration elapsed = Duration.ofNanos(System.nanoTime() - start);
      return new EncodeResult(
          source.rows(), sink.entries(), sink.maskedRows(), sink.nonFiniteRows(), 1, 0, elapsed);
    }
  }

  /**
   * Encodes to files {@code latents-00000-of-00012.safetensors} and so on in a folder, with an
   * {@code index.json}; docs/data-formats.md describes them. A file appears only when it is
   * complete, and the index when all files are, so a run killed at any moment is resumed by the
   * same call, with the same bytes in the end. A call on a finished run does nothing.
   *
   * @param sae the SAE or a prefix view of it
   * @param source the activations, of the SAE's {@code d_in}
   * @param folder the folder, created if needed; holds one run
   * @param options how to encode
   * @return what was done
   * @throws IllegalArgumentException if the source or the mask does not fit, or a shard has more
   *     latents than one file holds
   * @throws ActivationException if a file changes meanwhile, or a row is not finite
   * @throws EncodeRunException if the folder holds a run with other settings, another run is
   *     writing to it, or it cannot be written
   * @throws IOException if the activations cannot be read
   */
  public static EncodeResult toFolder(
      SAE sae, ActivationSource source, Path folder, EncodeOptions options) throws IOException {
    return new EncodeRun(sae, source, options).into(folder);
  }

  private EncodeResult into(Path path) throws IOException {
    long start = System.nanoTime();
    EncodePipeline pipeline = new EncodePipeline(sae, source, options);
    int shards = shardCount();
    ObjectNode settings = RunSettings.of(sae, source, options);
    try (RunFolder folder = RunFolder.open(path)) {
      boolean begun = prepare(folder, settings);
      List<ShardIndex> done = begun ? finishedShards(folder, shards) : List.of();
      long firstRow = Math.min(source.rows(), (long) done.size() * options.rowsPerShard());
      if (!begun || done.size() < shards) {
        folder.write(RunFolder.CHECKPOINT, header(settings));
        folder.delete(RunFolder.INDEX);
      }
      if (firstRow < source.rows()) {
        encode(folder, pipeline, firstRow, shards);
      }
      List<ShardIndex> all = finishedShards(folder, shards);
      if (all.size() < shards) {
        throw new EncodeRunException(
            folder.shard(all.size(), shards)
                + ": was changed or deleted by others while the run went on; run the same again to"
                + " write it again");
      }
      RowRules.requireCounted(
          source.rows(), sum(all, ShardIndex::maskedRows), sum(all, ShardIndex::nonFiniteRows));
      folder.write(RunFolder.INDEX, index(settings, all));
      folder.delete(RunFolder.CHECKPOINT);
      return result(all, firstRow, Duration.ofNanos(System.nanoTime() - start));
    }
  }

  private void encode(RunFolder folder, EncodePipeline pipeline, long firstRow, int shards)
      throws IOException {
    try (ShardSink sink =
        new ShardSink(
            folder, sae.dSae(), options.rowsPerShard(), firstRow, source.rows(), shards)) {
      pipeline.run(firstRow, sink);
    }
  }

  private int shardCount() {
    long count = -Math.floorDiv(-source.rows(), (long) options.rowsPerShard()); // rounded up
    if (count > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "%s rows in shards of %s are %s files; take more rows per shard"
              .formatted(source.rows(), options.rowsPerShard(), count));
    }
    return (int) count;
  }

  /** Tells whether the folder holds this run, begun or finished; refuses any other content. */
  private boolean prepare(RunFolder folder, ObjectNode settings) throws IOException {
    boolean begun = false;
    for (String name : List.of(RunFolder.CHECKPOINT, RunFolder.INDEX)) {
      Optional<JsonNode> before = folder.read(name);
      if (before.isPresent()) {
        requireOurs(folder.path().resolve(name), before.get());
        if (!options.restart()) {
          requireSame(folder.path().resolve(name), before.get(), settings);
        }
        begun = true;
      }
    }
    if (options.restart()) {
      folder.clear();
      return false;
    }
    if (!begun && folder.hasShards()) {
      throw new EncodeRunException(
          ("%s: holds latents of a run but neither %s nor %s, so it is not known"
                  + " which; use another folder, or restart (--restart) to delete them")
              .formatted(folder.path(), RunFolder.CHECKPOINT, RunFolder.INDEX));
    }
    return begun;
  }

  private static void requireOurs(Path file, JsonNode before) throws IOException {
    if (!before.path("format").asText().equals(FORMAT)
        || before.path("format_version").asInt() != VERSION) {
      throw new EncodeRunException(
          ("%s: expected format '%s' version %s, got '%s' version %s; use another" + " folder")
              .formatted(
                  file,
                  FORMAT,
                  VERSION,
                  before.path("format").asText(),
                  before.path("format_version").asText()));
    }
  }

  private static void requireSame(Path file, JsonNode before, ObjectNode settings)
      throws IOException {
    Optional<String> difference = RunSettings.difference(before.path("settings"), settings);
    if (difference.isPresent()) {
      throw new EncodeRunException(
          ("%s: the folder holds a run with other settings: %s; use another folder,"
                  + " or restart (--restart) to delete that run")
              .formatted(file, difference.get()));
    }
  }

  /** The finished shards up to the first that is missing. */
  private List<ShardIndex> finishedShards(RunFolder folder, int shards) throws IOException {
    List<ShardIndex> done = new ArrayList<>();
    for (int i = 0; i < shards; i++) {
      long firstRow = (long) i * options.rowsPerShard();
      long rows = Math.min(options.rowsPerShard(), source.rows() - firstRow);
      Optional<ShardIndex> shard = ShardIndex.read(folder.shard(i, shards), firstRow, rows);
      if (shard.isEmpty()) {
        break;
      }
      done.add(shard.get());
    }
    return done;
  }

  private ObjectNode header(ObjectNode settings) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("format", FORMAT);
    json.put("format_version", VERSION);
    json.put("sae_name", options.saeName());
    json.set("settings", settings);
    return json;
  }

  private ObjectNode index(ObjectNode settings, List<ShardIndex> shards) {
    ObjectNode json = header(settings);
    json.put("rows", source.rows());
    json.put("width", sae.dSae());
    json.put("entries", sum(shards, ShardIndex::entries));
    json.put(ShardIndex.MASKED_ROWS, sum(shards, ShardIndex::maskedRows));
    json.put(ShardIndex.NON_FINITE_ROWS, sum(shards, ShardIndex::nonFiniteRows));
    ArrayNode list = json.putArray("shards");
    shards.forEach(shard -> list.add(shard.toJson()));
    return json;
  }

  private EncodeResult result(List<ShardIndex> shards, long resumedRows, Duration elapsed) {
    return new EncodeResult(
        source.rows(),
        sum(shards, ShardIndex::entries),
        sum(shards, ShardIndex::maskedRows),
        sum(shards, ShardIndex::nonFiniteRows),
        shards.size(),
        resumedRows,
        elapsed);
  }

  private static long sum(List<ShardIndex> shards, ToLongFunction<ShardIndex> part) {
    return shards.stream().mapToLong(part).sum();
  }
}
