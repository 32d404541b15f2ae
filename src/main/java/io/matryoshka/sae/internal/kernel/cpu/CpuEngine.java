package io.matryoshka.sae.internal.kernel.cpu;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import io.matryoshka.sae.config.LatentParameters;
import io.matryoshka.sae.internal.kernel.ActivationTest;
import io.matryoshka.sae.internal.kernel.Csr;
import io.matryoshka.sae.internal.kernel.CsrBuilder;
import io.matryoshka.sae.internal.kernel.EncodeEngine;
import io.matryoshka.sae.internal.kernel.ScreeningCounters;
import io.matryoshka.sae.internal.kernel.ScreeningStats;
import io.matryoshka.sae.internal.kernel.SelectionRule;
import io.matryoshka.sae.internal.kernel.Selector;
import io.matryoshka.sae.internal.kernel.Tuning;
import io.matryoshka.sae.internal.kernel.prepared.EncoderRows;
import io.matryoshka.sae.internal.kernel.prepared.WeightSource;
import io.matryoshka.sae.internal.kernel.torch.Workers;
import java.util.function.Supplier;

/**
 * The fast encoder on the CPU: screens all latents with an int8 product and a rigorous bound, then
 * computes in float32 only those that could be active. Where int8 does not pay, a float32 product
 * takes its place, which in small prefixes gives the values, too. The active set and values are
 * those of the float32 computation; docs/performance.md derives the bound.
 *
 * <p>Rows are processed in blocks of at most {@value Tuning#BLOCK_ROWS}; beside the result a call
 * holds about {@code 9 d_in} bytes per row of the block, and each worker {@link TileBuffers}.
 */
public final class CpuEngine implements EncodeEngine {

  private final ScreeningProduct product;
  private final Supplier<EncoderRows> encoderRows;
  private final WeightSource weights;
  private final int dIn;
  private final LatentParameters parameters;
  private final DirectProduct small;
  private final HostVector shiftOnHost = new HostVector();
  private final Gathering gathering = new Gathering(this::encodeOnWorkers);
  private final ScreeningCounters counters = new ScreeningCounters();
  private volatile Terms thresholdTerms;
  private volatile Terms reluTerms;

  /** What a rule needs of the latents, made once per rule. */
  private record Terms(
      CpuScreen screen, ExactProducts exact, DirectEncoder direct, ActivationTest test) {}

  /**
   * Makes the engine over weights that the caller owns.
   *
   * @param product with which product to screen
   * @param rows gives the prepared encoder, called when it is first needed
   * @param weights {@code W_enc [d_in, d_sae]}, of which only outlier dimensions are read
   * @param dIn the width of a model activation
   * @param parameters decide which latents are active
   */
  CpuEngine(
      ScreeningProduct product,
      Supplier<EncoderRows> rows,
      WeightSource weights,
      int dIn,
      LatentParameters parameters) {
    this.product = product;
    this.encoderRows = rows;
    this.weights = weights;
    this.dIn = dIn;
    this.parameters = parameters;
    small = new DirectProduct(weights, dIn, parameters.dSae());
    if (isDirect((long) dIn * parameters.dSae(), parameters.dSae())) {
      EarlyCompilation.start();
    }
  }

  @Override
  public Csr encode(NDArray rows, int width, SelectionRule rule) {
    return encodeShifted(rows, null, width, rule);
  }

  @Override
  public Csr encode(NDArray rows, NDArray shift, int width, SelectionRule rule) {
    return encodeShifted(rows, shift, width, rule);
  }

  private Csr encodeShifted(NDArray rows, NDArray shift, int width, SelectionRule rule) {
    long count = rows.getShape().get(0);
    if (count > 0 && isDirect(count * dIn * width, width)) {
      float[] shifts = shift == null ? new float[dIn] : shiftOnHost.of(shift);
      DirectEncoder.Rows direct =
          new DirectEncoder.Rows(ActivationRows.floats(rows), Math.toIntExact(count), shifts);
      return encodeDirect(direct, width, rule);
    }
    Gathering.Call call = new Gathering.Call(rows, shift, width, rule);
    boolean gathered =
        Tuning.isGathered(count * dIn * width, dIn, width)
            && rule.kind() != SelectionRule.Kind.BATCH_TOP_K
            && !Workers.isWorker();
    return gathered ? gathering.encode(call) : encodeOnWorkers(call);
  }

  @Override
  public boolean staysWithCaller(long multiplications, int width) {
    return isDirect(multiplications, width) || Tuning.isGathered(multiplications, dIn, width);
  }

  private boolean isDirect(long multiplications, int width) {
    return product.isDirect(multiplications, (long) dIn * width);
  }

  private Csr encodeOnWorkers(Gathering.Call call) {
    Blocks blocks = Blocks.of(call.rows(), call.shift(), call.width());
    return Workers.call(() -> encodeBlocks(blocks, call.width(), call.rule()));
  }

  private Csr encodeDirect(DirectEncoder.Rows rows, int width, SelectionRule rule) {
    Terms terms = terms(rule);
    if (rule.kind() == SelectionRule.Kind.BATCH_TOP_K) {
      BoundHistogram histogram = new BoundHistogram();
      terms.direct.collectLowerBounds(rows, width, histogram);
      terms = above(histogram.floorOf((long) rule.k() * rows.count()), terms);
    }
    DirectEncoder.Result found = terms.direct.encode(rows, width, topK(rule, width));
    counters.addBlock((long) rows.count() * width, found.computed(), rows.count());
    return selected(found.active().build(), rule);
  }

  private Csr selected(Csr candidates, SelectionRule rule) {
    Csr selected = Selector.select(candidates, rule);
    counters.addActive(selected.latents().length);
    return selected;
  }

  private static int topK(SelectionRule rule, int width) {
    return rule.kind() == SelectionRule.Kind.TOP_K ? Math.min(rule.k(), width) : 0;
  }

  /**
   * The rows of a call, cut into blocks.
   *
   * @param rows {@code [n, d_in]}
   * @param shift {@code [d_in]} is subtracted from every row, or null
   * @param count number of blocks
   * @param together whether a worker does all of a block while others do other blocks; else the
   *     workers share the latents of one block after the other
   */
  private record Blocks(NDArray rows, NDArray shift, int count, boolean together) {

    interface Task {
      void run(int number, ActivationRows block, NDManager scope);
    }

    static Blocks of(NDArray rows, NDArray shift, int width) {
      long codes = rows.getShape().get(1) * width;
      long rowCount = rows.getShape().get(0);
      boolean together = codes <= Tuning.FEW_CODES;
      long rowsOfWork = together ? Tuning.BLOCK_WORK / codes : Long.MAX_VALUE;
      long blockRows = Math.min(Tuning.BLOCK_ROWS, rowsOfWork);
      long blocks = (rowCount + blockRows - 1) / blockRows;
      if (together && rowCount * codes > Tuning.BRIEF_WORK) {
        blocks = Math.max(blocks, Math.min(Workers.count(), rowCount));
      }
      return new Blocks(rows, shift, Math.toIntExact(blocks), together);
    }

    int rowCount() {
      return Math.toIntExact(rows.getShape().get(0));
    }

    /** The first row of a block. */
    private int begin(int number) {
      return Math.toIntExact((long) rowCount() * number / count);
    }

    void forEach(Task task) {
      Workers.forRanges(
          count,
          together ? 1 : Math.max(1, count),
          (first, last) -> {
            for (int number = first; number < last; number++) {
              run(task, number);
            }
          });
    }

    private void run(Task task, int number) {
      try (NDManager scope = rows.getManager().newSubManager()) {
        NDArray block = rows;
        if (count > 1) {
          block = rows.get(new NDIndex(begin(number) + ":" + begin(number + 1)));
          block.attach(scope);
        }
        task.run(number, ActivationRows.of(block, shift, scope), scope);
      }
    }
  }

  private Csr encodeBlocks(Blocks blocks, int width, SelectionRule rule) {
    Terms terms = terms(rule);
    if (rule.kind() == SelectionRule.Kind.BATCH_TOP_K) {
      return encodeBatch(blocks, width, rule, terms);
    }
    int topK = topK(rule, width);
    return selected(candidates(blocks, width, topK, topK > 0, terms), rule);
  }

  private Csr candidates(Blocks blocks, int width, int topK, boolean exact, Terms terms) {
    CsrBuilder[] parts = new CsrBuilder[blocks.count];
    blocks.forEach(
        (number, block, scope) -> {
          CpuScreen.Result found = terms.screen.screen(block, width, topK, exact, scope);
          parts[number] = new CsrBuilder(block.rows);
          append(block, width, found, terms, parts[number]);
        });
    return CsrBuilder.join(parts);
  }

  /** Finds a lower bound of the cut first, then screens against it. */
  private Csr encodeBatch(Blocks blocks, int width, SelectionRule rule, Terms relu) {
    Terms above = above(batchFloor(blocks, width, rule, relu), relu);
    return selected(candidates(blocks, width, 0, true, above), rule);
  }

  /** Terms with a limit just below a bound, so that an activation on the bound itself passes. */
  private Terms above(float bound, Terms relu) {
    return makeTerms(relu.test.withLimit(Math.max(0f, Math.nextDown(bound))));
  }

  @Override
  public ScreeningStats stats() {
    return counters.stats();
  }

  private void append(
      ActivationRows block, int width, CpuScreen.Result found, Terms terms, CsrBuilder out) {
    float[] activations = terms.exact.compute(block, found.candidates());
    long open = 0;
    int slot = 0;
    for (Candidates list : found.candidates()) {
      open += list.open();
      for (int c = 0; c < list.size; c++) {
        float activation = activations[slot++];
        if (activation != 0) {
          out.add(list.latents[c], activation);
        }
      }
      out.endRow();
    }
    counters.addBlock((long) block.rows * width, open, found.fallbackRows());
  }

  /** A lower bound of the smallest activation among the {@code k n} largest of the batch. */
  private float batchFloor(Blocks blocks, int width, SelectionRule rule, Terms terms) {
    BoundHistogram histogram = new BoundHistogram();
    blocks.forEach(
        (number, block, scope) -> terms.screen.collectLowerBounds(block, width, histogram, scope));
    return histogram.floorOf((long) rule.k() * blocks.rowCount());
  }

  private Terms terms(SelectionRule rule) {
    boolean byThreshold = rule.kind() == SelectionRule.Kind.THRESHOLD;
    Terms terms = byThreshold ? thresholdTerms : reluTerms;
    if (terms == null) {
      terms = makeTerms(ActivationTest.of(parameters, rule));
      if (byThreshold) {
        thresholdTerms = terms;
      } else {
        reluTerms = terms;
      }
    }
    return terms;
  }

  private Terms makeTerms(ActivationTest test) {
    EncoderRows rows = encoderRows.get();
    LatentTerms latentTerms = new LatentTerms(rows, weights, test);
    return new Terms(
        new CpuScreen(product, rows, latentTerms, test),
        new ExactProducts(rows, test),
        new DirectEncoder(rows, latentTerms, test, small),
        test);
  }

  @Override
  public String description() {
    return product.isInt8(ProductChoice.ofThisMachine(), dIn, parameters.dSae())
        ? "fast engine, screening with int8 products"
        : "fast engine, screening with float32 products";
  }
}
