package io.matryoshka.sae.explore;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.internal.state.StateReader;
import io.matryoshka.sae.internal.state.StateWriter;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.RowRules;
import io.matryoshka.sae.stream.RunSettings;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;
import java.util.function.LongConsumer;

/**
 * What {@link Explorer} keeps of some rows of a source: the strongest contexts and the range of
 * activations of every latent, and which latents fire together. Parts of different rows can be
 * merged in any order, on any machine, and the result is that of one pass over all of them. (Counts
 * of pairs: where none was dropped, see {@link CoactivationCounter}. Sums of activations: up to the
 * rounding of their order.)
 *
 * <p>Not safe for use by several threads. Holds no SAE but needs it open while rows are added.
 */
public final class ExplorationPart {

  private static final String KIND = "exploration";

  private final SAE sae;
  private final ExplorerOptions options;
  private final TopContexts contexts;
  private final ActivationHistograms histograms;
  private final CoactivationCounter pairs;
  private long rows;
  private long maskedRows;
  private long nonFiniteRows;

  private ExplorationPart(SAE sae, ExplorerOptions options) {
    this.sae = sae;
    this.options = options;
    contexts = new TopContexts(sae.dSae(), options.contexts(), options.reach());
    histograms = new ActivationHistograms(sae.dSae());
    pairs = new CoactivationCounter(sae, options.maxPairs());
  }

  /**
   * Makes a part without rows, to merge others into.
   *
   * @param sae the SAE; stays open
   * @param options what to look for
   * @return the part
   */
  public static ExplorationPart empty(SAE sae, ExplorerOptions options) {
    return new ExplorationPart(sae, options);
  }

  /** Adds the rows of a range of whole batches, between those around them that contexts need. */
  void add(ActivationSource source, long fromRow, long toRow, LongConsumer progress)
      throws IOException {
    source.requireBatches(options.rowsPerBatch(), fromRow, toRow);
    around(source, Math.max(0, fromRow - options.reach()), fromRow);
    LatentPass.Seen seen =
        LatentPass.run(
            sae,
            source,
            options.rows(),
            fromRow,
            toRow,
            options.rowsPerBatch(),
            List.of(contexts, pairs, histograms),
            progress);
    around(source, toRow, Math.min(source.rows(), toRow + options.reach()));
    rows += seen.rows();
    maskedRows += seen.maskedRows();
    nonFiniteRows += seen.nonFiniteRows();
  }

  private void around(ActivationSource source, long fromRow, long toRow) throws IOException {
    if (fromRow < toRow) {
      LatentPass.around(
          sae, source, options.rows(), fromRow, toRow, options.rowsPerBatch(), List.of(contexts));
    }
  }

  /**
   * Returns the number of rows in here, those included that do not count.
   *
   * @return rows of all ranges
   */
  public long rows() {
    return rows;
  }

  /**
   * Joins a part of other rows.
   *
   * @param other a part of the same SAE with the same options
   * @throws IllegalArgumentException if latents, contexts or levels differ, or both hold the same
   *     rows as far as can be seen
   */
  public void merge(ExplorationPart other) {
    contexts.merge(other.contexts);
    histograms.merge(other.histograms);
    pairs.merge(other.pairs);
    rows += other.rows;
    maskedRows += other.maskedRows;
    nonFiniteRows += other.nonFiniteRows;
  }

  /**
   * Writes all that is kept, to {@link #load} it elsewhere: some 160 bytes a latent, {@code 4 * (2
   * * reach + 1) + 12} a context and 16 a pair, versioned, with what it belongs to and a checksum.
   *
   * @param out the target; stays open
   * @throws IOException if it cannot be written
   */
  public void save(OutputStream out) throws IOException {
    StateWriter state = new StateWriter(KIND, settings(sae, options));
    state.add(rows);
    state.add(maskedRows);
    state.add(nonFiniteRows);
    contexts.writeTo(state);
    histograms.writeTo(state);
    pairs.writeTo(state);
    state.writeTo(out);
  }

  /**
   * Reads a part that {@link #save} wrote.
   *
   * @param in begins with the state; is read to its end and no further, and stays open
   * @param sae the SAE that it was saved with
   * @param options the options that it was saved with
   * @return the part
   * @throws io.matryoshka.sae.stream.StateException if it is damaged, cut off, or belongs to
   *     another SAE or options
   * @throws IOException if it cannot be read
   */
  public static ExplorationPart load(InputStream in, SAE sae, ExplorerOptions options)
      throws IOException {
    StateReader state = StateReader.read(in, KIND, settings(sae, options));
    ExplorationPart part = new ExplorationPart(sae, options);
    part.rows = state.nextLong();
    part.maskedRows = state.nextLong();
    part.nonFiniteRows = state.nextLong();
    part.contexts.mergeFrom(state);
    part.histograms.mergeFrom(state);
    part.pairs.mergeFrom(state);
    state.end();
    return part;
  }

  /** What a part belongs to; the latents described are chosen later. */
  private static ObjectNode settings(SAE sae, ExplorerOptions options) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.set("sae", RunSettings.describe(sae));
    sae.widths().forEach(json.putArray("widths")::add);
    json.put("contexts", options.contexts());
    json.put("reach", options.reach());
    json.put("max_pairs", options.maxPairs());
    json.put("rows_per_batch", options.rowsPerBatch());
    return json;
  }

  /** Checks that this holds all rows of a source, and that some of them count. */
  void requireWhole(ActivationSource source) {
    if (rows != source.rows()) {
      throw new IllegalArgumentException(
          "explore: the parts hold %d rows, the activations have %d; merge the part of every range once"
              .formatted(rows, source.rows()));
    }
    RowRules.requireCounted(rows, maskedRows, nonFiniteRows);
  }

  TopContexts contexts() {
    return contexts;
  }

  ActivationHistograms histograms() {
    return histograms;
  }

  CoactivationCounter pairs() {
    return pairs;
  }
}
