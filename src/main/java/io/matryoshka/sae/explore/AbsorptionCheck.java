package io.matryoshka.sae.explore;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.Levels;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.config.NormalizeActivations;
import io.matryoshka.sae.eval.LatentStatistics;
import io.matryoshka.sae.internal.state.StateReader;
import io.matryoshka.sae.internal.state.StateWriter;
import io.matryoshka.sae.stream.RunSettings;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Checks whether the children of a latent take over its direction: they fire in its place, and the
 * parent is silent or weak on tokens that it stands for.
 *
 * <p>The rule is the absorption fraction of SAEBench ({@code sae_bench/evals/absorption}), with the
 * parent's own direction in place of a trained probe. With {@code u = W_dec[p] / ||W_dec[p]||}:
 *
 * <ul>
 *   <li>A token {@code x} counts if {@code P = (x - b_dec) . u} is at least the parent's mean
 *       activation times {@code ||W_dec[p]||}: it has as much of the direction as the parent says
 *       of a typical token where it fires.
 *   <li>A latent i that fires with activation f contributes {@code f W_dec[i] . u}. {@code M} is
 *       the contribution of the parent; {@code A} the sum of the {@value #MAX_CHILDREN} largest
 *       positive ones of children (latents of higher levels) whose cosine with the parent is at
 *       least {@value #MIN_COSINE}.
 *   <li>The fraction is 0 if {@code M >= P} or {@code A / P < }{@value #MIN_SHARE}, 1 if {@code M
 *       <= 0}, else {@code a / (a + M)} with {@code a = min(A, P - M)}.
 *   <li>A token is fully absorbed if the parent's activation is below {@value #SILENT} and the
 *       child with the largest contribution has a cosine of at least {@value #MIN_FULL_COSINE} and
 *       at least {@value #MIN_SHARE} of {@code P}.
 * </ul>
 *
 * <p>What differs from SAEBench: its probe is trained on labelled words, which tell what the token
 * means; here the parent's direction stands for the meaning, so a direction that is itself poor
 * gives a poor answer. Its tokens are those of a labelled class that the probe gets right; here
 * those with a large projection. It considers all other latents; here only children. Its projection
 * does not subtract {@code b_dec}. So the figures compare latents and SAEs with each other, not
 * with published absorption scores.
 *
 * <p>Only for SAEs that do not normalise their input. Memory: {@code 8 d_sae} bytes a parent. Not
 * safe for use by several threads.
 *
 * @see <a href="https://arxiv.org/abs/2409.14507">A is for Absorption</a>
 */
public final class AbsorptionCheck implements LatentPass.Collector {

  /** Largest number of children whose contributions are summed. */
  static final int MAX_CHILDREN = 3;

  static final double MIN_COSINE = 0.1;
  static final double MIN_FULL_COSINE = 0.025;
  static final double MIN_SHARE = 0.4;
  static final double SILENT = 1e-8;

  private static final int BLOCK = 1024;

  private static final String KIND = "absorption";

  private final ParentAbsorption[] parents;

  /** What the sums belong to. */
  private final ObjectNode settings = JsonNodeFactory.instance.objectNode();

  private final int dIn;
  private final float[] decoderBias;

  /**
   * Starts at zero.
   *
   * @param sae the SAE
   * @param latents the parents to check, of any level but the last; those of the last have no
   *     children and get no absorption
   * @param statistics of the SAE on these activations, for the mean activations
   * @throws IllegalArgumentException if the SAE normalises its input
   */
  public AbsorptionCheck(SAE sae, int[] latents, LatentStatistics statistics) {
    if (sae.config().normalizeActivations() != NormalizeActivations.NONE) {
      throw new IllegalArgumentException(
          "absorption: expected an SAE that does not normalise its input, got one with "
              + sae.config().normalizeActivations().key());
    }
    dIn = sae.dIn();
    decoderBias = sae.decoderBias();
    Levels levels = Levels.of(sae);
    settings.set("sae", RunSettings.describe(sae));
    sae.widths().forEach(settings.putArray("widths")::add);
    ObjectNode means = settings.putObject("mean_activations");
    parents = new ParentAbsorption[latents.length];
    for (int i = 0; i < latents.length; i++) {
      int firstChild = levels.to(levels.of(latents[i]));
      float[] row = sae.decoderRows(latents[i], latents[i] + 1);
      double mean = statistics.meanActivation(latents[i]);
      means.put(Integer.toString(latents[i]), Double.toString(mean));
      parents[i] = new ParentAbsorption(latents[i], firstChild, row, sae.dSae(), mean);
    }
    fillProducts(sae);
  }

  /** Products of every decoder row with every parent's direction. */
  private void fillProducts(SAE sae) {
    for (int from = 0; from < sae.dSae(); from += BLOCK) {
      int first = from;
      int to = Math.min(sae.dSae(), from + BLOCK);
      float[] rows = sae.decoderRows(from, to);
      IntStream.range(0, parents.length)
          .parallel()
          .forEach(p -> parents[p].putProducts(rows, first, to - first));
    }
  }

  @Override
  public void add(long firstRow, float[] x, SparseLatents latents, BitSet leftOut) {
    float[] centred = new float[latents.rows() * dIn];
    for (int i = 0; i < centred.length; i++) {
      centred[i] = x[i] - decoderBias[i % dIn];
    }
    Arrays.stream(parents).parallel().forEach(parent -> parent.add(centred, latents, leftOut));
  }

  /**
   * Joins the tokens of other rows, such as those of another range.
   *
   * @param other a check of the same SAE with the same latents and statistics
   * @throws IllegalArgumentException if these differ
   */
  public void merge(AbsorptionCheck other) {
    boolean fits = other != this && parents.length == other.parents.length;
    for (int i = 0; fits && i < parents.length; i++) {
      fits = parents[i].isOf(other.parents[i]);
    }
    if (!fits) {
      throw new IllegalArgumentException(
          "merge: expected another check of the same parents with the same mean activations");
    }
    for (int i = 0; i < parents.length; i++) {
      parents[i].merge(other.parents[i]);
    }
  }

  /**
   * Writes the sums of the rows so far, to {@link #mergeFrom} them elsewhere.
   *
   * @param out the target; stays open
   * @throws IOException if it cannot be written
   */
  public void save(OutputStream out) throws IOException {
    StateWriter state = new StateWriter(KIND, settings);
    for (ParentAbsorption parent : parents) {
      parent.writeTo(state);
    }
    state.writeTo(out);
  }

  /**
   * Joins the tokens of a check that {@link #save} wrote.
   *
   * @param in begins with the state; is read to its end and no further, and stays open
   * @throws io.matryoshka.sae.stream.StateException if it is damaged, cut off, or of another SAE,
   *     other latents or other statistics
   * @throws IOException if it cannot be read
   */
  public void mergeFrom(InputStream in) throws IOException {
    StateReader state = StateReader.read(in, KIND, settings);
    for (ParentAbsorption parent : parents) {
      parent.mergeFrom(state);
    }
    state.end();
  }

  /**
   * Returns the result of the rows so far.
   *
   * @return one for each parent, in the order given
   */
  public List<Absorption> result() {
    return Arrays.stream(parents).map(ParentAbsorption::result).toList();
  }
}
