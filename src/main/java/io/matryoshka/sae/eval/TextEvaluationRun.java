package io.matryoshka.sae.eval;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.config.SaeConfig;
import io.matryoshka.sae.internal.io.TemporaryFolder;
import io.matryoshka.sae.lm.ActivationExport;
import io.matryoshka.sae.lm.HookPoint;
import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.lm.PackingOptions;
import io.matryoshka.sae.lm.Tokens;
import io.matryoshka.sae.stream.RowRules;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * Evaluates several SAEs of a language model on texts that go through the model once. The figures
 * equal those of separate runs over all activations to the last bit.
 *
 * <p>Activations go through temporary files, of which a bounded part of the texts is on disk at a
 * time: the model writes those of all hook points, each SAE reads its own, and they are deleted.
 * One SAE is open at a time, and is opened again for each such part.
 *
 * <p>Rows of special tokens take their place in the stream and are not counted where an SAE was
 * trained without special tokens.
 */
public final class TextEvaluationRun {

  /** Bytes of activations that the model writes before the SAEs read them. */
  private static final long DEFAULT_BYTES = 4L << 30;

  /** The new files and those with rows of an open evaluation batch, and something for others. */
  private static final int SHARE_OF_DISK = 3;

  private final LanguageModel model;
  private final EvaluationOptions options;
  private final long bytes;
  private Listener listener = (stage, done, total) -> {};

  /** Is told how far a run is. */
  @FunctionalInterface
  public interface Listener {

    /**
     * Is told of each step.
     *
     * @param stage what is done
     * @param done tokens that are done in this stage
     * @param total tokens of the stage
     */
    void step(String stage, long done, long total);
  }

  /** Opens an SAE. */
  @FunctionalInterface
  public interface Opener {

    /**
     * Opens the SAE, each time anew.
     *
     * @return the SAE, which the run closes
     * @throws IOException if it cannot be read
     */
    SAE open() throws IOException;
  }

  /**
   * One of the SAEs: what must be known of it before its turn comes, and how to open it.
   *
   * @param hookPoint the place that it reads
   * @param withoutSpecialTokens whether rows of special tokens are left out
   * @param opener opens it
   */
  public record Candidate(HookPoint hookPoint, boolean withoutSpecialTokens, Opener opener) {

    /**
     * Describes an SAE that is open now.
     *
     * @param sae the SAE, which may be closed afterwards
     * @param opener opens it again
     * @return the description
     * @throws IllegalArgumentException if the SAE names no hook point, or is a transcoder, whose
     *     output stands elsewhere
     */
    public static Candidate of(SAE sae, Opener opener) {
      return of(sae.config(), opener);
    }

    /**
     * Describes an SAE that is not open yet.
     *
     * @param sae what its files say
     * @param opener opens it
     * @return the description
     * @throws IllegalArgumentException if they name no hook point, or the SAE is a transcoder
     */
    public static Candidate of(SaeConfig sae, Opener opener) {
      if (sae.architecture().isTranscoder()) {
        throw new IllegalArgumentException(
            "the SAE of %s is a transcoder, which is compared with the activations of its output; evaluate it by itself, from files"
                .formatted(sae.hookPoint().orElse("an unknown place")));
      }
      return new Candidate(HookPoint.of(sae), PackingOptions.excludesSpecialTokens(sae), opener);
    }

    /**
     * Leaves out rows of special tokens, whatever the SAE says of its training.
     *
     * @return changed description
     */
    public Candidate skipSpecialTokens() {
      return new Candidate(hookPoint, true, opener);
    }
  }

  /**
   * Prepares a run.
   *
   * @param model runs the texts
   * @param options batch and selection
   */
  public TextEvaluationRun(LanguageModel model, EvaluationOptions options) {
    this(model, options, DEFAULT_BYTES);
  }

  TextEvaluationRun(LanguageModel model, EvaluationOptions options, long bytes) {
    this.model = Objects.requireNonNull(model, "model");
    this.options = Objects.requireNonNull(options, "options");
    this.bytes = bytes;
  }

  /**
   * Sets who is told how far the run is.
   *
   * @param told gets each step
   * @return this run
   */
  public TextEvaluationRun progress(Listener told) {
    listener = Objects.requireNonNull(told, "told");
    return this;
  }

  /**
   * Runs.
   *
   * @param texts the texts or contexts, at least one
   * @param candidates the SAEs, at least one
   * @return the metrics of each SAE, in their order
   * @throws IllegalArgumentException if a text or a hook point does not fit the model, or no row is
   *     left to count
   * @throws IOException if an SAE cannot be opened, or there is no room for the activations
   */
  public List<Evaluation> run(List<Tokens> texts, List<Candidate> candidates) throws IOException {
    if (texts.isEmpty() || candidates.isEmpty()) {
      throw new IllegalArgumentException("expected at least one text and one SAE");
    }
    try (TemporaryFolder temporary = TemporaryFolder.create("evaluate")) {
      Path folder = temporary.path();
      List<SaeStream> streams = new ArrayList<>();
      BitSet special = specialRows(texts);
      for (Candidate candidate : candidates) {
        Path state = folder.resolve("state-%05d.json".formatted(streams.size()));
        streams.add(
            new SaeStream(
                candidate, candidate.withoutSpecialTokens() ? special : new BitSet(), state));
      }
      feed(texts, streams, folder);
      List<Evaluation> results = new ArrayList<>();
      for (SaeStream stream : streams) {
        Evaluation result = stream.result();
        RowRules.requireCounted(
            result.rows() + result.maskedRows() + result.nonFiniteRows(),
            result.maskedRows(),
            result.nonFiniteRows());
        results.add(result);
      }
      return results;
    }
  }

  private BitSet specialRows(List<Tokens> texts) throws IOException {
    BitSet rows = new BitSet();
    int row = 0;
    Set<Integer> special = model.specialIds();
    for (Tokens text : texts) {
      for (int id : text.ids()) {
        rows.set(row++, special.contains(id));
      }
    }
    return rows;
  }

  private void feed(List<Tokens> texts, List<SaeStream> streams, Path folder) throws IOException {
    List<String> hooks =
        streams.stream().map(stream -> stream.hookPoint().toString()).distinct().toList();
    long total = rows(texts);
    ActivationFilesInUse files = new ActivationFilesInUse(folder);
    long done = 0;
    for (List<Tokens> chunk : chunks(texts, hooks.size(), folder)) {
      long before = files.end();
      new ActivationExport(
              model, hooks, false, n -> listener.step("language model", before + n, total))
          .toFile(chunk, files.next(rows(chunk)));
      boolean isLast = files.end() == total;
      long end = isLast ? total : files.end() - files.end() % options.batchRows();
      if (end > done) {
        encode(streams, files, done, end, isLast);
        done = end;
        files.deleteBefore(done);
      }
    }
  }

  private void encode(
      List<SaeStream> streams, ActivationFilesInUse files, long from, long to, boolean isLast)
      throws IOException {
    long total = (to - from) * streams.size();
    long before = 0;
    for (SaeStream stream : streams) {
      long first = before - from;
      stream.add(
          files, from, to, isLast, options, n -> listener.step("evaluate", first + n, total));
      before += to - from;
    }
  }

  /** Cuts the texts where that changes no value, into pieces that fit the disk. */
  private List<List<Tokens>> chunks(List<Tokens> texts, int hooks, Path folder) throws IOException {
    long room = Math.min(bytes, Files.getFileStore(folder).getUsableSpace() / SHARE_OF_DISK);
    long rowBytes = (long) hooks * model.config().hiddenSize() * Float.BYTES;
    List<List<Tokens>> chunks = new ArrayList<>();
    int first = 0;
    int end = 0;
    long rows = 0;
    for (List<Tokens> part : ActivationExport.parts(texts)) {
      if (rows > 0 && (rows + rows(part)) * rowBytes > room) {
        chunks.add(texts.subList(first, end));
        first = end;
        rows = 0;
      }
      end += part.size();
      rows += rows(part);
    }
    chunks.add(texts.subList(first, end));
    return chunks;
  }

  private static long rows(List<Tokens> texts) {
    return texts.stream().mapToLong(Tokens::size).sum();
  }
}
