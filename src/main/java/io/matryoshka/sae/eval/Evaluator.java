package io.matryoshka.sae.eval;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.Levels;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.internal.state.StateReader;
import io.matryoshka.sae.internal.state.StateWriter;
import io.matryoshka.sae.stream.RowFaults;
import io.matryoshka.sae.stream.RunSettings;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.FloatBuffer;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;

/**
 * Takes model activations in pieces of any size and gives the metrics of an SAE on them, for every
 * width of {@link SAE#widths()}, in one pass: each row is encoded once.
 *
 * <pre>{@code
 * Evaluator evaluator = Evaluator.of(sae);
 * evaluator.add(firstActivations);
 * evaluator.add(moreActivations);
 * Evaluation evaluation = evaluator.result();
 * }</pre>
 *
 * <p>Rows are gathered into evaluation batches by their position in the stream ({@link
 * EvaluationOptions}), and all sums have a fixed order. So the result is the same to the last bit
 * however the caller splits the rows, and whatever the number of threads.
 *
 * <p>A row that cannot be encoded ({@link RowFaults}), and one with a reconstruction that is not
 * finite, is counted apart and enters nothing else.
 *
 * <p>Memory: one evaluation batch of activations and a bounded block of reconstructions, plus 20
 * bytes a latent. Not safe for concurrent use. Does not close the SAE.
 */
public final class Evaluator {

  /** Largest array that every Java machine can make. */
  private static final int MAX_ARRAY = Integer.MAX_VALUE - 8;

  private final SAE sae;
  private final EvaluationOptions options;
  private final Totals totals;
  private final RowFaults faults;
  private final FaultListener listener;

  /** Is told of rows that are left out because they are not finite. */
  @FunctionalInterface
  interface FaultListener {

    /** Tells nobody. */
    FaultListener NONE = (row, fault) -> {};

    void accept(long row, String fault);
  }

  /** Rows of the stream so far. */
  private long streamRows;

  /** The place in the stream of each row of {@link #pending}. */
  private long[] pendingAt = new long[0];

  /** Unmasked rows of the open batch. */
  private float[] pending;

  /** What reconstructions of {@link #pending} should be, for a transcoder. */
  private float[] pendingTargets = new float[0];

  private int pendingRows;

  /** Rows of the open batch, masked ones included. */
  private int openRows;

  private Evaluator(SAE sae, EvaluationOptions options, Totals totals, FaultListener listener) {
    this.sae = sae;
    this.options = options;
    this.totals = totals;
    this.listener = listener;
    faults = RowFaults.of(sae);
    streamRows = totals.rowsDone();
    pending = new float[0];
  }

  /**
   * Makes an evaluator with default options.
   *
   * @param sae stays open as long as rows are added
   * @return the evaluator
   */
  public static Evaluator of(SAE sae) {
    return of(sae, EvaluationOptions.defaults());
  }

  /**
   * Makes an evaluator.
   *
   * @param sae stays open as long as rows are added
   * @param options batch and selection
   * @return the evaluator
   */
  public static Evaluator of(SAE sae, EvaluationOptions options) {
    Objects.requireNonNull(options, "options");
    int[] widths = Levels.of(sae).toArray();
    return new Evaluator(sae, options, new Totals(widths, sae.dOut()), FaultListener.NONE);
  }

  /**
   * Adds rows, all of them counted.
   *
   * @param x {@code [n, d_in]} row-major, not kept
   * @throws IllegalArgumentException if the length is not a multiple of {@code d_in}
   * @throws IllegalStateException if the SAE is closed
   */
  public void add(float[] x) {
    add(FloatBuffer.wrap(x), rowsOf(x.length));
  }

  /**
   * Adds rows, some of them masked out, such as special tokens.
   *
   * @param x {@code [n, d_in]} row-major, not kept
   * @param counted {@code [n]}, false where a row takes its place in the stream and nothing else
   * @throws IllegalArgumentException if the lengths do not fit
   * @throws IllegalStateException if the SAE is closed
   */
  public void add(float[] x, boolean[] counted) {
    add(FloatBuffer.wrap(x), rowsOf(x.length), counted);
  }

  /**
   * Adds rows, all of them counted.
   *
   * @param x at least {@code rows * d_in} remaining floats, row-major; its position does not move
   * @param rows number of rows
   * @throws IllegalArgumentException if the buffer holds too few floats
   * @throws IllegalStateException if the SAE is closed
   */
  public void add(FloatBuffer x, int rows) {
    boolean[] counted = new boolean[Math.max(0, rows)];
    Arrays.fill(counted, true);
    add(x, rows, counted);
  }

  /**
   * Adds rows, some of them masked out.
   *
   * @param x at least {@code rows * d_in} remaining floats, row-major; its position does not move
   * @param rows number of rows
   * @param counted {@code [rows]}, false where a row takes its place in the stream and nothing else
   * @throws IllegalArgumentException if the buffer holds too few floats or the mask does not fit
   * @throws IllegalStateException if the SAE is closed
   */
  public void add(FloatBuffer x, int rows, boolean[] counted) {
    if (sae.isTranscoder()) {
      throw new IllegalArgumentException(
          "evaluate: a transcoder is compared with the activations of its output%s, not with those that it reads; give both"
              .formatted(sae.hookPointOut().map(hook -> " (" + hook + ")").orElse("")));
    }
    add(x, x, rows, counted);
  }

  /**
   * Adds rows of a transcoder, some of them masked out: the reconstructions of {@code x} are
   * compared with {@code y}.
   *
   * @param x at least {@code rows * d_in} remaining floats, row-major; its position does not move
   * @param y at least {@code rows * d_out} remaining floats, the activations of the output for the
   *     same tokens; its position does not move
   * @param rows number of rows
   * @param counted {@code [rows]}, false where a row takes its place in the stream and nothing else
   * @throws IllegalArgumentException if a buffer holds too few floats or the mask does not fit
   * @throws IllegalStateException if the SAE is closed
   */
  public void add(FloatBuffer x, FloatBuffer y, int rows, boolean[] counted) {
    if (y.remaining() < (long) rows * sae.dOut()) {
      throw new IllegalArgumentException(
          "evaluate: %d rows of d_out = %d need %d floats, the buffer has %d"
              .formatted(rows, sae.dOut(), (long) rows * sae.dOut(), y.remaining()));
    }
    if (rows < 0 || x.remaining() < (long) rows * sae.dIn()) {
      throw new IllegalArgumentException(
          "evaluate: %d rows of d_in = %d need %d floats, the buffer has %d"
              .formatted(rows, sae.dIn(), (long) rows * sae.dIn(), x.remaining()));
    }
    if (counted.length != rows) {
      throw new IllegalArgumentException(
          "evaluate: the mask must have one element per row, expected %s, got %s"
              .formatted(rows, counted.length));
    }
    for (int row = 0; row < rows; row++) {
      if (openRows == options.batchRows()) {
        endBatch();
      }
      openRows++;
      if (counted[row]) {
        keep(x, x.position() + row * sae.dIn(), y, y.position() + row * sae.dOut());
      } else {
        totals.maskedRows++;
      }
      streamRows++;
    }
    if (openRows == options.batchRows()) {
      endBatch();
    }
  }

  /** Goes on with totals, which the evaluator then changes. */
  static Evaluator resume(
      SAE sae, EvaluationOptions options, Totals totals, FaultListener listener) {
    return new Evaluator(sae, options, totals, listener);
  }

  /** What the totals of an evaluator belong to. */
  static ObjectNode settings(SAE sae, EvaluationOptions options) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.set("sae", RunSettings.describe(sae));
    sae.widths().forEach(json.putArray("widths")::add);
    json.put("selection", options.selection().orElse(sae.defaultSelection()).toString());
    json.put("batch_rows", options.batchRows());
    return json;
  }

  /**
   * Reads an evaluator that {@link #save(Path)} wrote.
   *
   * @param file the file
   * @param sae the SAE that it was saved with
   * @param options the options that it was saved with
   * @return the evaluator, to which rows can be added
   * @throws EvaluationException if the file is malformed or belongs to another SAE or options
   * @throws IOException if the file cannot be read
   */
  public static Evaluator load(Path file, SAE sae, EvaluationOptions options) throws IOException {
    int[] widths = Levels.of(sae).toArray();
    return new EvaluationCheckpoint(file)
        .read(settings(sae, options), widths, sae.dOut())
        .map(totals -> resume(sae, options, totals, FaultListener.NONE))
        .orElseThrow(() -> new NoSuchFileException(file.toString(), null, "no such file"));
  }

  /**
   * Writes all that is kept of the rows so far, to {@link #load(Path, SAE, EvaluationOptions)} it
   * later, elsewhere, and {@link #merge} it with the rows of other parts. The open evaluation batch
   * ends here, as if the stream ended.
   *
   * @param file the target, replaced in one step
   * @throws IOException if it cannot be written
   * @throws IllegalStateException if the SAE is closed
   */
  public void save(Path file) throws IOException {
    endBatch();
    new EvaluationCheckpoint(file).write(settings(sae, options), totals);
  }

  /**
   * Writes what {@link #save(Path)} keeps, in a form that takes half as many bytes: some 20 a
   * latent, versioned, with what it belongs to and a checksum.
   *
   * @param out the target; stays open
   * @throws IOException if it cannot be written
   * @throws IllegalStateException if the SAE is closed
   */
  public void save(OutputStream out) throws IOException {
    endBatch();
    StateWriter state = new StateWriter(TotalsState.KIND, settings(sae, options));
    TotalsState.write(totals, state);
    state.writeTo(out);
  }

  /**
   * Reads an evaluator that {@link #save(OutputStream)} wrote.
   *
   * @param in begins with the state; is read to its end and no further, and stays open
   * @param sae the SAE that it was saved with
   * @param options the options that it was saved with
   * @return the evaluator, to which rows can be added
   * @throws io.matryoshka.sae.stream.StateException if it is damaged, cut off, or belongs to
   *     another SAE or options
   * @throws IOException if it cannot be read
   */
  public static Evaluator load(InputStream in, SAE sae, EvaluationOptions options)
      throws IOException {
    StateReader state = StateReader.read(in, TotalsState.KIND, settings(sae, options));
    Totals totals = TotalsState.read(state, Levels.of(sae).toArray(), sae.dOut());
    state.end();
    return resume(sae, options, totals, FaultListener.NONE);
  }

  /**
   * Joins the rows of another evaluator, as of another part of a large set. The open evaluation
   * batch of either ends here, as if its stream ended.
   *
   * @param other an evaluator of the same SAE with the same options; it does not change, but for
   *     the end of its open batch
   * @throws IllegalArgumentException if widths, {@code d_in} or options differ
   */
  public void merge(Evaluator other) {
    if (other == this
        || !Arrays.equals(totals.widths, other.totals.widths)
        || sae.dIn() != other.sae.dIn()
        || !options.toString().equals(other.options.toString())) {
      throw new IllegalArgumentException(
          "merge: expected another evaluator with widths %s, d_in %d and %s, got widths %s, d_in %d and %s"
              .formatted(
                  sae.widths(),
                  sae.dIn(),
                  options,
                  other.sae.widths(),
                  other.sae.dIn(),
                  other.options));
    }
    endBatch();
    other.endBatch();
    totals.add(other.totals);
  }

  /**
   * Returns the number of rows so far, those included that a mask or a fault left out. Merged parts
   * of a whole set have as many as the set.
   *
   * @return rows of this evaluator and of all that were merged into it
   */
  public long rowsSeen() {
    return totals.rowsDone() + pendingRows;
  }

  /**
   * Computes the metrics of all rows so far. More rows may follow: the open evaluation batch counts
   * as it stands, and stays open.
   *
   * @return the metrics
   * @throws IllegalStateException if the SAE is closed and rows of an open batch wait
   */
  public Evaluation result() {
    if (pendingRows == 0) {
      return Evaluation.of(totals, options.batchRows());
    }
    Totals sum = totals.copy();
    sum.add(EvaluationBatch.encode(sae, options, pending, targets(), pendingRows));
    return Evaluation.of(sum, options.batchRows());
  }

  private void keep(FloatBuffer x, int at, FloatBuffer y, int yAt) {
    pending = grown(pending, sae.dIn());
    x.get(at, pending, pendingRows * sae.dIn(), sae.dIn());
    if (sae.isTranscoder()) {
      pendingTargets = grown(pendingTargets, sae.dOut());
      y.get(yAt, pendingTargets, pendingRows * sae.dOut(), sae.dOut());
    }
    Optional<String> fault = faults.before(pending, pendingRows);
    if (fault.isPresent()) {
      totals.nonFiniteRows++;
      listener.accept(streamRows, fault.get());
      return;
    }
    if (pendingRows == pendingAt.length) {
      pendingAt = Arrays.copyOf(pendingAt, Math.max(16, 2 * pendingRows));
    }
    pendingAt[pendingRows++] = streamRows;
  }

  /** Makes room for one more row. */
  private float[] grown(float[] rows, int width) {
    int needed = Math.multiplyExact(pendingRows + 1, width);
    if (needed <= rows.length) {
      return rows;
    }
    long doubled = Math.max(needed, 2L * rows.length);
    long whole = (long) options.batchRows() * width;
    return Arrays.copyOf(rows, (int) Math.min(Math.min(doubled, whole), MAX_ARRAY));
  }

  private float[] targets() {
    return sae.isTranscoder() ? pendingTargets : pending;
  }

  /** Counts the open evaluation batch as it stands. */
  void endBatch() {
    if (pendingRows > 0) {
      EvaluationBatch batch = EvaluationBatch.encode(sae, options, pending, targets(), pendingRows);
      totals.add(batch);
      for (int row = 0; row < pendingRows; row++) {
        if (!batch.isFinite(row)) {
          listener.accept(pendingAt[row], "has a reconstruction that is NaN or infinite");
        }
      }
    }
    pendingRows = 0;
    openRows = 0;
  }

  private int rowsOf(int length) {
    if (length % sae.dIn() != 0) {
      throw new IllegalArgumentException(
          "evaluate: the array must hold whole rows of d_in = %s floats, got %s"
              .formatted(sae.dIn(), length));
    }
    return length / sae.dIn();
  }
}
