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
    Map<Integer, NDArray> entrances = new HashMap<>();
    List<NDArray> states = new ArrayList<>();
    states.add(original(runs, entrances, scope));
    for (List<Intervention> run : runs) {
      states.add(run.isEmpty() ? states.get(0) : changed(run, entrances, scope));
    }
    return read(model.losses(states, targets(), scope), states.size());
  }

  private NDArray original(
      List<List<Intervention>> runs, Map<Integer, NDArray> entrances, NDManager scope) {
    Set<HookPoint> wanted = new LinkedHashSet<>(Set.of(FINAL));
    for (List<Intervention> run : runs) {
      if (!run.isEmpty()) {
        wanted.add(new HookPoint(entrance(run), Site.RESID_PRE));
      }
    }
    Hooks hooks = new Hooks(batch, wanted, List.of(), scope);
    NDArray x = model.run(batch, Optional.empty(), hooks, scope);
    hooks
        .kept()
        .forEach(
            (point, rows) ->
                entrances.put(
                    point.layer(), rows.reshape(1, batch.length(), model.config().hiddenSize())));
    return model.finalNorm(x, hooks, scope);
  }

  private NDArray changed(
      List<Intervention> run, Map<Integer, NDArray> entrances, NDManager scope) {
    Hooks hooks = new Hooks(batch, Set.of(FINAL), run, scope);
    int first = entrance(run);
    int last = model.config().layerCount() - 1;
    NDArray x =
        model.resume(first, entrances.get(first), last, batch, Optional.empty(), hooks, scope);
    return model.finalNorm(x, hooks, scope);
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
