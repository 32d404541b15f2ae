package io.matryoshka.sae.lm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.stream.RunSettings;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.LongConsumer;

/**
 * Measures, over a corpus, what the reconstruction at every prefix width costs the model; SAELens
 * calls it {@code ce_loss_score}, SAEBench {@code loss_recovered}. The texts go through the model
 * once up to the SAE's layer, are encoded once, and go on from there once for each width.
 *
 * <p>Rows of BOS keep their activation where the SAE was trained without special tokens, as in
 * SAELens, or where {@link #keepBos} says so. Texts with one token have no cross-entropy and count
 * for KL alone.
 */
public final class SpliceLossRun {

  /** Texts between two checkpoints. */
  private static final int CHECKPOINT_TEXTS = 16;

  private final LanguageModel model;
  private final SAE sae;
  private final HookPoint point;
  private boolean keepsBos;
  private Optional<Path> checkpoint = Optional.empty();
  private LongConsumer progress = done -> {};
  private BiConsumer<Tokens, List<TokenLosses>> listener = (text, losses) -> {};

  /**
   * Prepares a run.
   *
   * @param model the model
   * @param sae the SAE, which names its hook point and says in its metadata ({@code
   *     exclude_special_tokens}) whether rows of BOS keep their activation
   * @throws IllegalArgumentException if the SAE does not fit the model, or the model is an encoder
   */
  public SpliceLossRun(LanguageModel model, SAE sae) {
    Intervention.requireOnePlace(sae);
    this.model = model;
    this.sae = sae;
    this.point = HookPoint.of(sae);
    this.keepsBos = SaeMetadata.of(sae.config()).excludesSpecialTokens();
    Requirements requirements = new Requirements(model.name(), model.config());
    requirements.requireDecoder("losses");
    requirements.require(sae.config());
  }

  /**
   * Sets whether rows of BOS keep their activation, in place of what the SAE's metadata says.
   *
   * @param keep whether they do
   * @return this run
   */
  public SpliceLossRun keepBos(boolean keep) {
    keepsBos = keep;
    return this;
  }

  /**
   * Keeps in a file what is done, and goes on from it.
   *
   * @param file the file; made when the first texts are done
   * @return this run
   */
  public SpliceLossRun checkpoint(Path file) {
    checkpoint = Optional.of(file);
    return this;
  }

  /**
   * Sets who is told how far the run is.
   *
   * @param told gets the number of texts that are done
   * @return this run
   */
  public SpliceLossRun progress(LongConsumer told) {
    progress = Objects.requireNonNull(told, "told");
    return this;
  }

  /**
   * Sets who gets the losses of each token.
   *
   * @param told gets a text and its losses: clean, activations set to 0, then one for each width.
   *     Texts that an earlier run has done are not told again
   * @return this run
   */
  public SpliceLossRun listener(BiConsumer<Tokens, List<TokenLosses>> told) {
    listener = Objects.requireNonNull(told, "told");
    return this;
  }

  /**
   * Runs.
   *
   * @param texts the texts or contexts, at least one with two tokens or more
   * @return the means over all texts
   * @throws IllegalArgumentException if a text does not fit the model, no text has two tokens, or
   *     the checkpoint is of another run
   * @throws java.util.concurrent.CancellationException if the thread is interrupted; the checkpoint
   *     then holds texts that are done, and a run goes on from it
   * @throws IOException if the checkpoint cannot be read or written
   */
  public SpliceLoss run(List<Tokens> texts) throws IOException {
    if (texts.stream().noneMatch(text -> text.size() > 1)) {
      throw new IllegalArgumentException(
          "losses need at least one text of two tokens or more, got none");
    }
    model.requireFits(texts);
    int runs = sae.widths().size() + 2;
    Optional<SpliceCheckpoint> kept = Optional.empty();
    if (checkpoint.isPresent()) {
      kept = Optional.of(new SpliceCheckpoint(checkpoint.get(), settings(texts)));
    }
    SpliceTotals totals = kept.isPresent() ? kept.get().read(runs) : new SpliceTotals(runs);
    for (int t = Math.toIntExact(totals.texts()); t < texts.size(); t++) {
      Tokens text = texts.get(t);
      List<TokenLosses> losses = model.lossesWithReplaced(text, point, x -> replacements(text, x));
      totals.add(losses);
      listener.accept(text, losses);
      progress.accept(t + 1L);
      if (kept.isPresent() && (t % CHECKPOINT_TEXTS == 0 || t + 1 == texts.size())) {
        keep(totals, kept.get());
      }
    }
    return totals.result(sae.widths());
  }

  private static void keep(SpliceTotals totals, SpliceCheckpoint file) throws IOException {
    try {
      file.write(totals);
    } catch (ClosedByInterruptException e) {
      Interruption.check();
      throw e;
    }
  }

  private List<NDArray> replacements(Tokens text, NDArray x) {
    NDManager scope = x.getManager();
    SparseLatents latents = sae.encodeSparse(x);
    List<NDArray> rows = new ArrayList<>(List.of(x.zerosLike()));
    rows.addAll(List.of(sae.reconstructions(latents, scope)));
    return rows.stream().map(replaced -> keepingBos(text, x, replaced)).toList();
  }

  /** Puts the activations of BOS back. */
  private NDArray keepingBos(Tokens text, NDArray x, NDArray replaced) {
    int bos = keepsBos ? model.config().bos().orElse(-1) : -1;
    long[] rows = new TokenBatch(List.of(text), 0, bos).select((position, isBos) -> isBos);
    if (rows.length == 0) {
      return replaced;
    }
    NDManager scope = x.getManager();
    ModelKernels kernels = ModelKernels.arrays();
    NDArray indices = scope.create(rows);
    return kernels
        .call(
            scope,
            "with_rows",
            replaced.expandDims(0),
            indices,
            kernels.call(scope, "rows", x, indices))
        .squeeze(0);
  }

  /** What the losses depend on. */
  private ObjectNode settings(List<Tokens> texts) throws IOException {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.set("text", TextRunSettings.of(model, texts));
    json.set("sae", RunSettings.describe(sae));
    json.put("selection", sae.defaultSelection().toString());
    sae.widths().forEach(json.putArray("widths")::add);
    json.put("keeps_bos", keepsBos);
    return json;
  }
}
