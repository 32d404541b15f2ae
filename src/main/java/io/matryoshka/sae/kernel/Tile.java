package io.matryoshka.sae.kernel;

import java.util.ArrayList;
import java.util.List;

/**
 * Consecutive latents that one worker screens at once.
 *
 * @param first the first latent
 * @param count number of latents
 */
record Tile(int first, int count) {

  /** Fewer latents than this are not worth a task. */
  private static final int SMALLEST = 256;

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
    int even = Math.max(SMALLEST, width / (PER_WORKER * Workers.count()));
    int fitting = TileBuffers.ELEMENTS / rows;
    int largest = Math.max(SMALLEST, Math.min(even, fitting) / SMALLEST * SMALLEST);
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
