package io.matryoshka.sae.internal.kernel;

/**
 * The numbers that were measured on one machine and might be others on yours. None of them changes
 * which latents are active; {@link #SMALL_WIDTH} and {@link #DEVICE_DENSE_SHARE} choose between two
 * orders of summation.
 *
 * <p>To measure one again, change it here, and compare the ratios that this prints with those from
 * before; the ratio to dense products in the same run holds whatever else the machine does:
 *
 * <pre>{@code
 * mvn -q compile exec:java -Dexec.args="benchmark --keep target/benchmark --seconds 0.5 ARGUMENTS"
 * }</pre>
 *
 * Each number has its {@code ARGUMENTS}. Those of the CPU are of a 2-core AMD EPYC with AVX-512,
 * those of devices of an NVIDIA H200; docs/performance.md has the figures.
 */
public final class Tuning {

  // ---- the product that screens on the CPU ----

  /**
   * Up to this width the float32 product is no slower than quantising, screening and computing each
   * candidate on its own, and gives values as well: {@code --operations encodeSparse --tokens
   * 1,16,128,512 --prefix-widths 256,512,1024}.
   */
  public static final int SMALL_WIDTH = 512;

  /**
   * Int8 products that are faster by less do not make up for the work around them: {@code
   * --operations encodeSparse --tokens 16,512 --prefix-widths 2048,32768}, on a processor where the
   * first line of the benchmark says that int8 products are about as fast as those of floats.
   */
  public static final double INT8_WORTHWHILE = 1.5;

  /**
   * A row with more candidates than one in so many latents is screened in float32: {@code
   * --operations encodeSparse --tokens 128 --prefix-widths 2048} on an SAE with a large L0.
   */
  public static final int FALLBACK_SHARE = 8;

  /**
   * Of one in so many latents on, top-k has no use for int8 products: as {@link #FALLBACK_SHARE},
   * on an SAE with a top-k rule.
   */
  public static final int TOP_SHARE = 16;

  /**
   * After a block on which int8 was of no use, so many go straight to float32: as {@link
   * #FALLBACK_SHARE}, with {@code --tokens 4096}.
   */
  public static final int BLOCKS_WITHOUT_INT8 = 15;

  // ---- how work is cut on the CPU ----

  /**
   * Latents of no more multiplications are decoded on the thread of the caller, in plain Java:
   * handing them to the workers and to libtorch takes as long. {@code --d-in 256 --d-sae 2048 --l0
   * 16 --operations decode --tokens 1,16,128}.
   */
  private static final int SMALL_WORK = 1 << 20;

  /** Tells whether a decode of so many multiplications is small ({@link #SMALL_WORK}). */
  public static boolean isSmall(long multiplications) {
    return multiplications <= SMALL_WORK;
  }

  /**
   * Most weights of the encoder that plain Java multiplies on the thread of the caller; it keeps
   * them on the heap, 4 bytes each: {@code --d-in 256 --d-sae 4096 --operations encodeSparse
   * --tokens 1}.
   */
  private static final int DIRECT_WEIGHTS = 1 << 20;

  /**
   * Most multiplications of an encode that does so: {@code --d-in 128 --d-sae 2048 --l0 16
   * --operations encodeSparse --tokens 1,4,8,16,32}.
   */
  private static final int DIRECT_WORK = 1 << 22;

  /**
   * Tells whether a call is encoded in plain Java on the thread of its caller.
   *
   * @param multiplications of the call
   * @param weights of the encoder of the leading latents that it looks at
   */
  public static boolean isDirect(long multiplications, long weights) {
    return weights <= DIRECT_WEIGHTS && multiplications <= DIRECT_WORK;
  }

  /** Calls of no more multiplications are done by one worker, while the caller waits awake. */
  public static final int BRIEF_WORK = 1 << 24;

  /**
   * Calls of no more tokens, if of more multiplications than {@link #BRIEF_WORK}, are joined where
   * several threads make them at the same time: JMH's {@code forward -p tokens=1 -p width=32768 -t
   * 8}.
   */
  private static final int GATHERED_ROWS = 8;

  /**
   * Tells whether a call is joined with those of other threads.
   *
   * @param multiplications of the call
   * @param dIn the width of a model activation
   * @param width leading latents to look at
   */
  public static boolean isGathered(long multiplications, int dIn, int width) {
    long codes = (long) dIn * width;
    return width > SMALL_WIDTH
        && codes > FEW_CODES
        && multiplications > BRIEF_WORK
        && multiplications <= GATHERED_ROWS * codes;
  }

  /** Up to so many numbers libtorch takes longer to start than Java to finish: as above. */
  public static final int FEW_NUMBERS = 1 << 12;

  /**
   * Up to so many codes, which stay in the cache of a core, each worker takes tokens of its own and
   * all latents: {@code --d-in 256 --d-sae 2048 --l0 16 --operations encodeSparse --tokens
   * 16,128,512}.
   */
  public static final int FEW_CODES = 1 << 21;

  /** Multiplications of the block of one worker then: as {@link #FEW_CODES}. */
  public static final int BLOCK_WORK = 1 << 25;

  /**
   * Tokens of a block elsewhere; more share the read of the codes and of encoder rows, fewer keep
   * its buffers in the cache: {@code --operations encodeSparse --tokens 4096 --prefix-widths
   * 32768}.
   */
  public static final int BLOCK_ROWS = 1024;

  /**
   * Rows of one float32 product; fewer slow it down, more make the tiles narrow: {@code
   * --operations encodeSparse --tokens 512 --prefix-widths 512}.
   */
  public static final int FLOAT32_GROUP_ROWS = 256;

  /** Products of a tile, 1 MiB: {@code --operations encodeSparse --tokens 16,128,512}. */
  private static final int TILE_PRODUCTS = 1 << 18;

  /**
   * Latents of a tile of many rows, where so many products would leave fewer. Narrow tiles make the
   * work around each row of one long; libtorch takes memory for the codes of wide ones: {@code
   * --operations encodeSparse --tokens 4096 --prefix-widths 32768}, and {@code LargeMemoryTest}.
   */
  private static final int TILE_LATENTS = 512;

  /** Most products of a tile. */
  public static final int MOST_TILE_PRODUCTS = BLOCK_ROWS * TILE_LATENTS;

  /** Most latents of a tile of so many rows, at most {@link #BLOCK_ROWS}. */
  public static int tileLatents(int rows) {
    return Math.max(TILE_PRODUCTS / rows, TILE_LATENTS);
  }

  /**
   * Tiles of fewer latents slow the product down: {@code --operations encodeSparse --tokens 1,16
   * --prefix-widths 2048}.
   */
  public static final int MIN_TILE_LATENTS = 256;

  /**
   * Fewer multiplications than this are not worth a task, as it takes 50 µs to wake a thread: as
   * {@link #MIN_TILE_LATENTS}, and with {@code --d-in 256 --d-sae 2048 --tokens 16,128}.
   */
  public static final int MIN_TILE_WORK = 1 << 23;

  /** Numbers of activations that are worth a task: as {@link #MIN_TILE_WORK}. */
  private static final int MIN_ROW_WORK = 1 << 15;

  /** Fewest rows of a task that looks at every number of a row. */
  public static int rowGrain(int dIn) {
    return Math.max(1, MIN_ROW_WORK / dIn);
  }

  /**
   * Tasks for each worker; more even the load out, fewer save overhead: {@code --operations
   * encodeSparse,decode --tokens 16,512 --prefix-widths 32768}.
   */
  public static final int TASKS_PER_WORKER = 4;

  /**
   * Fewest multiplications of a task of exact products: {@code --operations encodeSparse --tokens
   * 1,16}.
   */
  public static final int MIN_PAIR_WORK = 1 << 19;

  /** Most exact products of a task: {@code --operations encodeSparse --tokens 512}. */
  public static final int MAX_PAIRS = 1024;

  /** Fewest rows that one task decodes: {@code --operations decode --tokens 1,16,128}. */
  public static final int MIN_DECODED_ROWS = 16;

  // ---- devices ----

  /**
   * Multiplications of a call from which int8 products are worth the work before and after them:
   * {@code --device cuda --operations encodeSparse,forward --tokens 128,256,512,1024}.
   */
  public static final long DEVICE_INT8_FROM = 1L << 34;

  /**
   * From one candidate in so many latents on, a row read for each costs more than the dense
   * product: {@code --device cuda --operations encodeSparse --tokens 4096} on SAEs of a rising L0.
   */
  public static final int DEVICE_DENSE_SHARE = 32;

  /**
   * Most pre-activations of a block, which take about 10 bytes each: {@code --device cuda
   * --operations encodeSparse --tokens 4096 --prefix-widths 32768}.
   */
  public static final int DEVICE_BLOCK_ELEMENTS = 1 << 26;

  /** Fewest rows of a block, however wide: as {@link #DEVICE_BLOCK_ELEMENTS}. */
  public static final int MIN_DEVICE_ROWS = 32;

  /** Most rows of a block, however narrow: {@code --device cuda --prefix-widths 128}. */
  public static final int MAX_DEVICE_ROWS = 4096;

  private Tuning() {}
}
