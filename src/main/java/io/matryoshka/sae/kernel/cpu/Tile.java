package io.matryoshka.sae.kernel.cpu;

import io.matryoshka.sae.kernel.prepared.EncoderRows;
import io.matryoshka.sae.kernel.torch.Workers;
import java.util.ArrayList;
import java.util.List;

/**
 * Consecutive latents that one worker screens at once.
 *
 * @param first the first latent
 * @param count number of latents
 */
record Tile(int first, int count) {

  /** Tiles hold a multiple of this many latents. */
  private static final int UNIT = 64;

  /** Tiles of fewer latents slow the product down, which pays only if a worker would have none. */
  private static final int SMALLEST = 256;

  /** Fewer multiplications than this are not worth a task. */
  private static final int SMALLEST_WORK = 1 << 22;

  /** Tiles per worker: more even the load out, fewer save overhead. */
  private static final int PER_WORKER = 4;

  int end() {
    return first + count;
  }

  /**
   * Cuts the latents so that every worker has some and the products of all rows with one tile fit
   * into its {@link TileBuffers}.
   */
  static List<Tile> cut(int width, int rows, EncoderRows encoder) {
    int workers = Workers.count();
    int even = Math.max(width / (PER_WORKER * workers), Math.min(SMALLEST, width / workers));
    int worthwhile = (int) (SMALLEST_WORK / ((long) rows * encoder.dIn));
    int fitting = TileBuffers.ELEMENTS / rows;
    int wanted = Math.min(Math.max(even, worthwhile), fitting);
    int largest = Math.max(1, wanted / UNIT) * UNIT;
    List<Tile> tiles = new ArrayList<>();
    for (int first = 0; first < width; ) {
      int leftInSegment = encoder.segmentLatents - first % encoder.segmentLatents;
      int count = Math.min(Math.min(largest, leftInSegment), width - first);
      tiles.add(new Tile(first, count));
      first += count;
    }
    return tiles;
  }
}
