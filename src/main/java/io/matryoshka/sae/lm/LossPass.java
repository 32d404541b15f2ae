package io.matryoshka.sae.lm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * Losses of one text in several runs. The layers below the first intervention of a run are computed
 * once, and the vocabulary is read once for all runs.
 */
final class LossPass {

  private static final HookPoint FINAL = new HookPoint(0, Site.FINAL_NORM);

  private final GemmaModel model;
  private final TokenBatch batch;
  private final Tokens tokens;

  LossPass(GemmaModel model, Tokens tokens, int bos) {
    this.model = model;
    this.tokens = tokens;
    this.batch = new TokenBatch(List.of(tokens), 0, bos);
  }

  /** Computes the losses of the original run, then of each run with interventions. */
  List<TokenLosses> losses(List<List<Intervention>> runs, NDManager scope) {
    Set<HookPoint> wanted = new LinkedHashSet<>();
    runs.stream()
        .filter(run -> !run.isEmpty())
        .forEach(run -> wanted.add(new HookPoint(entrance(run), Site.RESID_PRE)));
    Map<HookPoint, NDArray> kept = new HashMap<>();
    NDArray original = original(wanted, kept, scope);
    return losses(original, kept, runs, scope);
  }

  /**
   * Computes the losses of the original run, then of runs in which the activations at one place are
   * replaced.
   *
   * @param runs gives the rows of each run, {@code [n, width]}, from those of the original run
   */
  List<TokenLosses> replaced(
      HookPoint point, Function<NDArray, List<NDArray>> runs, NDManager scope) {
    HookPoint entrance = new HookPoint(point.layer(), Site.RESID_PRE);
    Map<HookPoint, NDArray> kept = new HashMap<>();
    NDArray original = original(new LinkedHashSet<>(List.of(entrance, point)), kept, scope);
    List<List<Intervention>> replacements =
        runs.apply(kept.get(point)).stream()
            .map(rows -> List.of(Intervention.at(point, x -> rows)))
            .toList();
    return losses(original, kept, replacements, scope);
  }

  private List<TokenLosses> losses(
      NDArray original,
      Map<HookPoint, NDArray> kept,
      List<List<Intervention>> runs,
      NDManager scope) {
    List<NDArray> states = new ArrayList<>(List.of(original));
    for (List<Intervention> run : runs) {
      states.add(run.isEmpty() ? original : changed(run, kept, scope));
    }
    return read(model.losses(states, targets(), scope), states.size());
  }

  /** Runs without interventions and keeps the activations at some places. */
  private NDArray original(Set<HookPoint> wanted, Map<HookPoint, NDArray> kept, NDManager scope) {
    wanted.add(FINAL);
    Hooks hooks = new Hooks(batch, wanted, List.of(), scope);
    NDArray x = model.run(batch, Optional.empty(), hooks, scope);
    NDArray states = model.finalNorm(x, batch, hooks, scope);
    kept.putAll(hooks.kept());
    return states;
  }

  private NDArray changed(List<Intervention> run, Map<HookPoint, NDArray> kept, NDManager scope) {
    Hooks hooks = new Hooks(batch, Set.of(FINAL), run, scope);
    int first = entrance(run);
    int last = model.config().layerCount() - 1;
    NDArray entering =
        kept.get(new HookPoint(first, Site.RESID_PRE))
            .reshape(1, batch.length(), model.config().hiddenSize());
    NDArray x = model.resume(first, entering, last, batch, Optional.empty(), hooks, scope);
    return model.finalNorm(x, batch, hooks, scope);
  }

  /** The first layer that a run changes; the last one for a change after all layers. */
  private int entrance(List<Intervention> run) {
    int last = model.config().layerCount() - 1;
    return run.stream()
        .map(Intervention::hookPoint)
        .mapToInt(point -> point.site().isInLayer() ? point.layer() : last)
        .min()
        .orElse(last);
  }

  private long[] targets() {
    long[] targets = new long[tokens.size()];
    for (int i = 0; i < targets.length; i++) {
      targets[i] = i + 1 < targets.length ? tokens.id(i + 1) : -1;
    }
    return targets;
  }

  private List<TokenLosses> read(NDArray losses, int runs) {
    double[] values = losses.toDoubleArray();
    int n = tokens.size();
    List<TokenLosses> read = new ArrayList<>();
    for (int r = 0; r < runs; r++) {
      int kl = (runs + r) * n;
      read.add(
          new TokenLosses(
              Arrays.copyOfRange(values, r * n, r * n + Math.max(0, n - 1)),
              Arrays.copyOfRange(values, kl, kl + n)));
    }
    return read;
  }
}
