package io.matryoshka.sae.lm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.ArrayList;
import java.util.List;

/**
 * One layer of one pass. Where each product is one tile, a layer is one native call; else, and
 * where something is read or changed inside it, it goes step by step. Both compute the same.
 */
final class GemmaLayer {

  /** Queries that attend at a time: fewer of them compute fewer scores that the mask hides. */
  private static final int QUERIES = 64;

  /** Rows of a task that normalises. */
  private static final int NORM_ROWS = 128;

  private final ModelKernels kernels = ModelKernels.gemma();
  private final GemmaPass pass;
  private final int layer;
  private final List<NDArray> w;
  private final List<NDArray> rope;
  private final List<NDArray> cache;
  private final long[] sizes;
  private final double[] numbers;
  private final NDManager scope;

  /**
   * Prepares.
   *
   * @param weights in the order of {@code gemma.py}
   * @param scope owns the results of all steps
   */
  GemmaLayer(GemmaPass pass, int layer, List<NDArray> weights, NDManager scope) {
    GemmaConfig config = pass.config();
    this.pass = pass;
    this.layer = layer;
    this.w = weights;
    this.rope = pass.ropes().get(config.layers().get(layer));
    this.cache = pass.cache().map(c -> c.layer(layer)).orElse(List.of());
    this.sizes =
        new long[] {config.heads(), config.keyValueHeads(), config.headDim(), config.window(layer)};
    this.numbers = pass.numbers();
    this.scope = scope;
  }

  /**
   * Runs it.
   *
   * @param input {@code [batch, length, hidden]}
   * @return the same shape
   */
  NDArray run(NDArray input) {
    NDArray x = at(Site.RESID_PRE, input);
    return at(Site.RESID_POST, inside(x));
  }

  private NDArray inside(NDArray x) {
    if (pass.hooks().isInside(layer)) {
      return steps(x); // Hooks are for the caller's thread.
    }
    return pass.compute(() -> pass.isOfSingleTiles() ? whole(x) : steps(x));
  }

  private NDArray whole(NDArray x) {
    TiledProducts products = pass.products();
    return products.withScratch(
        scratch ->
            kernels.call(
                scope,
                "layer",
                x,
                w,
                rope,
                cache,
                pass.batch().start(),
                sizes,
                numbers,
                QUERIES,
                products.type(),
                scratch));
  }

  private NDArray steps(NDArray x) {
    TiledProducts products = pass.products();
    NDArray h = norm(x, 0, Site.LN1_NORMALIZED, Site.LN1_OUT);
    List<NDArray> projections = products.linears(h, w.subList(1, 4), scope);
    h.close();
    NDArray z = at(Site.Z, attention(projections));
    NDArray projected = at(Site.ATTN_PROJECTED, closing(z, products.linear(z, w.get(4), scope)));
    NDArray attention =
        closing(projected, norm(projected, 5, Site.LN1_POST_NORMALIZED, Site.ATTN_OUT));
    NDArray middle = at(Site.RESID_MID, closing(attention, call("add", x, attention)));
    NDArray read = norm(middle, 6, Site.LN2_NORMALIZED, Site.LN2_OUT);
    NDArray inner =
        at(Site.MLP_POST, closing(read, products.gated(read, w.get(7), w.get(8), scope)));
    NDArray down = at(Site.MLP_PROJECTED, closing(inner, products.linear(inner, w.get(9), scope)));
    NDArray mlp = closing(down, norm(down, 10, Site.LN2_POST_NORMALIZED, Site.MLP_OUT));
    return call("add", middle, mlp);
  }

  /** Frees what a result was computed from: a pass of many tokens holds little at a time. */
  private static NDArray closing(NDArray used, NDArray result) {
    used.close();
    return result;
  }

  /** Attends by text, head of keys and values, and part of the queries. */
  private NDArray attention(List<NDArray> projections) {
    int start = pass.batch().start();
    List<NDArray> heads =
        pass.compute(
            () ->
                kernels.callForAll(
                    scope,
                    "heads",
                    projections.get(0),
                    projections.get(1),
                    projections.get(2),
                    w,
                    rope,
                    cache,
                    start,
                    sizes,
                    numbers));
    projections.forEach(NDArray::close);
    NDArray out = heads.get(3);
    List<long[]> parts = parts();
    pass.products()
        .crew()
        .run(
            parts.size(),
            i ->
                kernels.run(
                    "attend",
                    heads.get(0),
                    heads.get(1),
                    heads.get(2),
                    out,
                    parts.get(i),
                    start,
                    sizes,
                    numbers));
    heads.subList(0, 3).forEach(NDArray::close);
    return out;
  }

  /** Begin and end of the texts, the heads of keys and values, and the queries of each task. */
  private List<long[]> parts() {
    int length = pass.batch().length();
    List<long[]> parts = new ArrayList<>();
    for (int text = 0; text < pass.batch().size(); text++) {
      for (int head = 0; head < pass.config().keyValueHeads(); head++) {
        for (int query = 0; query < length; query += QUERIES) {
          int end = Math.min(length, query + QUERIES);
          parts.add(new long[] {text, text + 1, head, head + 1, query, end});
        }
      }
    }
    return parts;
  }

  private NDArray norm(NDArray x, int weight, Site plain, Site out) {
    if (pass.hooks().wants(new HookPoint(layer, plain))) {
      at(plain, call("normalized", x, numbers[0]));
    }
    return at(out, rms(x, w.get(weight)));
  }

  private NDArray rms(NDArray x, NDArray weight) {
    int rows = pass.batch().size() * pass.batch().length();
    if (rows <= NORM_ROWS) {
      return call("rms", x, weight, numbers[0]);
    }
    NDArray out = call("space", x, x.getShape().get(2));
    pass.products()
        .crew()
        .run(
            (int) TiledProducts.parts(rows, NORM_ROWS),
            i -> {
              int end = Math.min(rows, (i + 1) * NORM_ROWS);
              kernels.run("rms_rows", x, weight, numbers[0], out, i * NORM_ROWS, end);
            });
    return out;
  }

  private NDArray call(String method, Object... arguments) {
    return pass.compute(() -> kernels.call(scope, method, arguments));
  }

  private NDArray at(Site site, NDArray x) {
    return pass.hooks().at(new HookPoint(layer, site), x, scope);
  }
}
