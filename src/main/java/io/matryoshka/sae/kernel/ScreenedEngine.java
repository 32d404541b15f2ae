package io.matryoshka.sae.kernel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/**
 * The fast encoder on the CPU: screens all latents with an int8 product and a rigorous bound, then
 * computes in float32 only those that could be active. Where int8 does not pay, a float32 product
 * takes its place, which in small prefixes gives the values, too. The active set and values are
 * those of the float32 computation; docs/performance.md derives the bound.
 *
 * <p>Rows are worked off in blocks of {@value #BLOCK_ROWS}; beside the result a call holds about
 * {@code 5 d_in} bytes per row of the block, and each worker {@link TileBuffers}.
 */
public final class ScreenedEngine implements EncodeEngine {

  static final int BLOCK_ROWS = 512;

  private final ScreeningProduct product;
  private final Supplier<EncoderRows> encoderRows;
  private final WeightSource weights;
  private final float[] bias;
  private final float[] scale;
  private final float[] threshold;
  private final AtomicLong screened = new AtomicLong();
  private final AtomicLong candidates = new AtomicLong();
  private final AtomicLong active = new AtomicLong();
  private final AtomicLong denseRows = new AtomicLong();
  private volatile Terms thresholdTerms;
  private volatile Terms reluTerms;

  /** What a rule needs of the latents, made once per rule. */
  private record Terms(BlockScreen screen, ExactProducts exact, float[] limits) {}

  /**
   * Makes the engine over arrays that the caller owns.
   *
   * @param product with which product to screen
   * @param rows gives the prepared encoder, called when it is first needed
   * @param weights {@code W_enc [d_in, d_sae]}, of which only outlier dimensions are read
   * @param bias {@code [d_sae]} encoder bias
   * @param scale {@code [d_sae]} factor on pre-activations
   * @param threshold {@code [d_sae]} thresholds, zeros where there are none
   */
  ScreenedEngine(
      ScreeningProduct product,
      Supplier<EncoderRows> rows,
      WeightSource weights,
      float[] bias,
      float[] scale,
      float[] threshold) {
    this.product = product;
    this.encoderRows = rows;
    this.weights = weights;
    this.bias = bias;
    this.scale = scale;
    this.threshold = threshold;
  }

  @Override
  public Csr encode(NDArray rows, int width, Rule rule) {
    return Workers.call(() -> encodeOnWorker(new Blocks(rows, null), width, rule));
  }

  @Override
  public Csr encode(NDArray rows, NDArray shift, int width, Rule rule) {
    return Workers.call(() -> encodeOnWorker(new Blocks(rows, shift), width, rule));
  }

  /**
   * The rows of a call, of which one block is prepared after the other.
   *
   * @param rows {@code [n, d_in]}
   * @param shift {@code [d_in]} is subtracted from every row, or null
   */
  private record Blocks(NDArray rows, NDArray shift) {

    interface Task {
      void run(AlignedRows block, NDManager scope);
    }

    int count() {
      return Math.toIntExact(rows.getShape().get(0));
    }

    void forEach(Task task) {
      for (int begin = 0; begin < count(); begin += BLOCK_ROWS) {
        int end = Math.min(count(), begin + BLOCK_ROWS);
        try (NDManager scope = rows.getManager().newSubManager()) {
          task.run(new AlignedRows(rows, shift, begin, end, scope), scope);
        }
      }
    }
  }

  private Csr encodeOnWorker(Blocks blocks, int width, Rule rule) {
    Terms terms = terms(rule);
    if (rule.kind() == Rule.Kind.BATCH_TOP_K) {
      return encodeBatch(blocks, width, rule, terms);
    }
    CsrBuilder out = new CsrBuilder(blocks.count());
    int topK = rule.kind() == Rule.Kind.TOP_K ? Math.min(rule.k(), width) : 0;
    encodeBlocks(blocks, width, topK, topK > 0, terms, out);
    Csr selected = Selector.select(out.build(), rule);
    active.addAndGet(selected.latents().length);
    return selected;
  }

  private void encodeBlocks(
      Blocks blocks, int width, int topK, boolean exact, Terms terms, CsrBuilder out) {
    blocks.forEach(
        (block, scope) -> {
          BlockScreen.Result found = terms.screen.screen(block, width, topK, exact, scope);
          append(block, width, found, terms, out, scope);
        });
  }

  /** Finds a lower bound of the cut first, then screens against it. */
  private Csr encodeBatch(Blocks blocks, int width, Rule rule, Terms relu) {
    float[] limits = new float[threshold.length];
    // Just below the bound, so that an activation on the bound itself passes.
    Arrays.fill(limits, Math.max(0f, Math.nextDown(batchFloor(blocks, width, rule, relu))));
    CsrBuilder out = new CsrBuilder(blocks.count());
    encodeBlocks(blocks, width, 0, true, makeTerms(limits), out);
    Csr selected = Selector.select(out.build(), rule);
    active.addAndGet(selected.latents().length);
    return selected;
  }

  @Override
  public ScreeningStats stats() {
    return new ScreeningStats(screened.get(), candidates.get(), active.get(), denseRows.get());
  }

  private void append(
      AlignedRows block,
      int width,
      BlockScreen.Result found,
      Terms terms,
      CsrBuilder out,
      NDManager scope) {
    float[] values = terms.exact.compute(block, found.candidates(), scope);
    screened.addAndGet((long) block.rows * width);
    for (Candidates list : found.candidates()) {
      candidates.addAndGet(list.open());
    }
    denseRows.addAndGet(found.denseRows());
    int slot = 0;
    for (int row = 0; row < found.candidates().length; row++) {
      Candidates list = found.candidates()[row];
      for (int c = 0; c < list.size; c++) {
        float value = values[slot++];
        if (Limits.passes(value, terms.limits[list.latents[c]])) {
          out.add(list.latents[c], value);
        }
      }
      out.endRow();
    }
  }

  /** A lower bound of the smallest activation among the {@code k n} largest of the batch. */
  private float batchFloor(Blocks blocks, int width, Rule rule, Terms terms) {
    BoundHistogram histogram = new BoundHistogram();
    blocks.forEach(
        (block, scope) -> terms.screen.collectLowerBounds(block, width, histogram, scope));
    return histogram.floorOf((long) rule.k() * blocks.count());
  }

  private Terms terms(Rule rule) {
    boolean byThreshold = rule.kind() == Rule.Kind.THRESHOLD;
    Terms terms = byThreshold ? thresholdTerms : reluTerms;
    if (terms == null) {
      terms = makeTerms(Limits.of(rule, threshold));
      if (byThreshold) {
        thresholdTerms = terms;
      } else {
        reluTerms = terms;
      }
    }
    return terms;
  }

  private Terms makeTerms(float[] limits) {
    EncoderRows rows = encoderRows.get();
    LatentTerms latentTerms = new LatentTerms(rows, weights, bias, scale, limits);
    return new Terms(
        new BlockScreen(product, rows, latentTerms, bias, scale),
        new ExactProducts(rows, bias, scale),
        limits);
  }
}
