package io.matryoshka.sae.stream;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.internal.io.DiskFile;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Encodes a source of activations to files of sparse latents, at the speed of the SAE and with
 * bounded memory: two batches of activations, three of latents, and 8 bytes per row of a shard.
 *
 * <p>The files of a run depend on the SAE, the activations and the options alone, not on
 * interruptions, and but for {@link io.matryoshka.sae.Selection#batchTopK} not on the size of a
 * batch. (The reference engine rounds by the size of a batch; the fast engine does not.)
 */
public final class EncodeRun {

  private final EncodePlan plan;

  private EncodeRun(EncodePlan plan) {
    this.plan = plan;
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
      new EncodePipeline(sae, source, options).run(0, source.rows(), sink);
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
    long start = System.nanoTime();
    EncodeRun run = new EncodeRun(EncodePlan.of(sae, source, options));
    return run.into(folder, start);
  }

  private EncodeResult into(Path path, long start) throws IOException {
    int shards = plan.shards();
    plan.checkpoint(); // Reads the activations once before the folder is touched.
    try (RunFolder folder = RunFolder.open(path)) {
      boolean begun = plan.resumes(folder);
      int done = begun ? finishedShards(path).size() : 0;
      if (!begun || done < shards) {
        plan.markBegun(folder);
      }
      if (done < shards) {
        plan.encode(done, shards, path);
      }
      List<EncodedShard> all = finishedShards(path);
      if (all.size() < shards) {
        throw new EncodeRunException(
            EncodePlan.changedByOthers(path.resolve(plan.fileName(all.size()))));
      }
      plan.markFinished(folder, all);
      Duration elapsed = Duration.ofNanos(System.nanoTime() - start);
      return plan.result(all, plan.firstRow(done), elapsed);
    }
  }

  /** The finished shards up to the first that is missing. */
  private List<EncodedShard> finishedShards(Path folder) throws IOException {
    List<EncodedShard> done = new ArrayList<>();
    for (int i = 0; i < plan.shards(); i++) {
      DiskFile file = new DiskFile(folder.resolve(plan.fileName(i)));
      Optional<EncodedShard> shard = plan.finished(i, file);
      if (shard.isEmpty()) {
        break;
      }
      done.add(shard.get());
    }
    return done;
  }
}
