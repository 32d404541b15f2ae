package io.matryoshka.sae.lm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.SparseLatents;
import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;
import java.util.function.IntPredicate;
import java.util.function.UnaryOperator;

/**
 * A change of the activations at one hook point while the model runs. Immutable; an SAE that is
 * used must stay open as long as the intervention is.
 *
 * <p>Positions are absolute: while a text is generated, they count from its first token. Unless
 * told otherwise an intervention works at every position, the prompt's included. Several
 * interventions at one hook point work in the order in which they are given, each on what the one
 * before left.
 */
public final class Intervention {

  private final HookPoint hookPoint;
  private final RowEdit edit;
  private final Optional<SAE> sae;
  private final IntPredicate positions;
  private final boolean skipBos;

  private Intervention(
      HookPoint hookPoint,
      RowEdit edit,
      Optional<SAE> sae,
      IntPredicate positions,
      boolean skipBos) {
    this.hookPoint = hookPoint;
    this.edit = edit;
    this.sae = sae;
    this.positions = positions;
    this.skipBos = skipBos;
  }

  /**
   * Changes activations by a function of yours.
   *
   * @param hookPoint where
   * @param edit gives the new rows
   * @return the intervention
   * @throws IllegalArgumentException if a value put there would not go on through the model
   */
  public static Intervention at(HookPoint hookPoint, RowEdit edit) {
    Objects.requireNonNull(edit, "edit");
    if (!hookPoint.site().canBeReplaced()) {
      throw new IllegalArgumentException(
          "activations at "
              + hookPoint
              + " can be read only; change the output of the norm instead, such as "
              + new HookPoint(hookPoint.layer(), Site.LN2_OUT));
    }
    return new Intervention(hookPoint, edit, Optional.empty(), position -> true, false);
  }

  /**
   * Replaces activations by their reconstruction.
   *
   * @param sae the SAE, which names its hook point
   * @return the intervention
   */
  public static Intervention splice(SAE sae) {
    return of(sae, sae::forward);
  }

  /**
   * Replaces activations by the reconstruction of edited latents, without the error of the SAE; see
   * {@link #edit} for the form that keeps it.
   *
   * @param sae the SAE, which names its hook point
   * @param edit changes the latents, such as {@code f -> f.zero(17)}
   * @return the intervention
   */
  public static Intervention splice(SAE sae, UnaryOperator<SparseLatents> edit) {
    Objects.requireNonNull(edit, "edit");
    return of(sae, rows -> sae.decode(edit.apply(sae.encodeSparse(rows)), rows.getManager()));
  }

  /**
   * Edits latents and keeps what the SAE leaves out (the error term), so that nothing but the edit
   * changes.
   *
   * @param sae the SAE, which names its hook point
   * @param edit changes the latents, such as {@code f -> f.zero(17)}
   * @return the intervention
   */
  public static Intervention edit(SAE sae, UnaryOperator<SparseLatents> edit) {
    Objects.requireNonNull(edit, "edit");
    return of(sae, rows -> sae.forward(rows, edit));
  }

  /**
   * Adds a multiple of a latent's decoder direction: {@code x + strength * W_dec[latent]}. The SAE
   * encodes nothing, so no error term cancels it.
   *
   * @param sae the SAE, which names its hook point
   * @param latent index of the latent
   * @param strength the multiple, in units of the latent's activation
   * @return the intervention
   * @throws IllegalArgumentException if there is no such latent
   */
  public static Intervention steer(SAE sae, int latent, float strength) {
    requireLatent(sae, latent);
    if (!Float.isFinite(strength)) {
      throw new IllegalArgumentException("strength must be finite, got " + strength);
    }
    return of(sae, rows -> sae.steer(rows, latent, strength));
  }

  /**
   * Sets latents to 0 and keeps the error term.
   *
   * @param sae the SAE, which names its hook point
   * @param latents indices of the latents
   * @return the intervention
   * @throws IllegalArgumentException if there is no such latent
   */
  public static Intervention ablate(SAE sae, int... latents) {
    int[] gone = latents.clone();
    for (int latent : gone) {
      requireLatent(sae, latent);
    }
    return edit(
        sae,
        f -> {
          SparseLatents left = f;
          for (int latent : gone) {
            left = left.zero(latent);
          }
          return left;
        });
  }

  /**
   * Multiplies the activation of a latent where it is active, and keeps the error term.
   *
   * @param sae the SAE, which names its hook point
   * @param latent index of the latent
   * @param factor the factor, 0 to ablate
   * @return the intervention
   * @throws IllegalArgumentException if there is no such latent, or the factor is not finite
   */
  public static Intervention scale(SAE sae, int latent, float factor) {
    requireLatent(sae, latent);
    if (!Float.isFinite(factor)) {
      throw new IllegalArgumentException("factor must be finite, got " + factor);
    }
    return edit(sae, f -> f.scale(latent, factor));
  }

  /**
   * Sets a range of latents to 0, such as those of one level, and keeps the error term.
   *
   * @param sae the SAE, which names its hook point
   * @param from the first latent; a prefix width ablates all levels above that prefix
   * @param to the latent after the last, such as {@code sae.dSae()}
   * @return the intervention
   * @throws IllegalArgumentException if the range does not lie in the SAE's latents
   */
  public static Intervention ablateRange(SAE sae, int from, int to) {
    if (from < 0 || to > sae.dSae() || from >= to) {
      throw new IllegalArgumentException(
          "latents to ablate: expected a range within 0.."
              + sae.dSae()
              + ", got "
              + from
              + ".."
              + to);
    }
    return edit(sae, f -> f.zeroRange(from, to));
  }

  /**
   * Sets activations to 0.
   *
   * @param hookPoint where
   * @return the intervention
   */
  public static Intervention zero(HookPoint hookPoint) {
    return at(hookPoint, NDArray::zerosLike);
  }

  /** Refuses a transcoder, whose result belongs to another place than its input. */
  static void requireOnePlace(SAE sae) {
    if (sae.isTranscoder()) {
      throw new IllegalArgumentException(
          "%s is a transcoder: it reads one place of the model and writes another, so it cannot stand in for the activations that it reads; splice, steer and ablate with an SAE"
              .formatted(sae));
    }
  }

  private static Intervention of(SAE sae, RowEdit edit) {
    requireOnePlace(sae);
    Intervention any = at(HookPoint.of(sae), edit);
    return new Intervention(any.hookPoint, edit, Optional.of(sae), any.positions, false);
  }

  private static void requireLatent(SAE sae, int latent) {
    if (latent < 0 || latent >= sae.dSae()) {
      throw new IllegalArgumentException(
          "latent must lie in 0..%d, got %d".formatted(sae.dSae() - 1, latent));
    }
  }

  /**
   * Limits the intervention to some positions.
   *
   * @param wanted tells whether to work at a position, counted from 0
   * @return changed intervention
   */
  public Intervention positions(IntPredicate wanted) {
    Objects.requireNonNull(wanted, "wanted");
    return new Intervention(hookPoint, edit, sae, wanted, skipBos);
  }

  /**
   * Limits the intervention to a range of positions.
   *
   * @param from the first position
   * @param to the position after the last
   * @return changed intervention
   */
  public Intervention positions(int from, int to) {
    return positions(position -> position >= from && position < to);
  }

  /**
   * Leaves the activations of BOS tokens as they are; their norm is far beyond that of others, and
   * SAEs are not trained on them. An encoder has no BOS, so there it changes nothing.
   *
   * @return changed intervention
   */
  public Intervention skipBos() {
    return new Intervention(hookPoint, edit, sae, positions, true);
  }

  /**
   * Returns where the intervention works.
   *
   * @return the hook point
   */
  public HookPoint hookPoint() {
    return hookPoint;
  }

  Optional<SAE> sae() {
    return sae;
  }

  boolean worksAt(int position, boolean isBos) {
    return positions.test(position) && !(skipBos && isBos);
  }

  /** Computes the new rows and checks that they fit. */
  NDArray newRows(NDArray rows) {
    Shape shape = rows.getShape();
    NDArray edited = edit.apply(rows);
    if (!edited.getShape().equals(shape)) {
      throw new IllegalArgumentException(
          "intervention at %s: expected rows of shape %s, got %s"
              .formatted(
                  hookPoint,
                  Arrays.toString(shape.getShape()),
                  Arrays.toString(edited.getShape().getShape())));
    }
    return edited;
  }

  /** For people to read. */
  @Override
  public String toString() {
    return "Intervention[" + hookPoint + "]";
  }
}
