package io.matryoshka.sae.internal.kernel.cpu;

import io.matryoshka.sae.internal.kernel.Tuning;
import io.matryoshka.sae.internal.kernel.prepared.EncoderRows;
import io.matryoshka.sae.internal.kernel.torch.Workers;
import java.util.ArrayList;
import java.util.List;

/**
 * Consecutive latents that one worker screens in one go.
 *
 * @param first the first latent
 * @param count number of latents
 */
record Tile(int first, int count) {

  /** Tiles hold a multiple of this many latents. */
  private static final int UNIT = 64;

  int end() {
    return first + count;
  }

  /**
   * Cuts the latents so that every worker has some and the products of all rows with one tile fit
   * into its {@link TileBuffers}. Few codes are one tile: workers share the rows instead.
   */
  static List<Tile> cut(int width, int rows, EncoderRows encoder) {
    int workers = Workers.count();
    // Tiles that slow the product down pay only where a worker would have none.
    int even =
        Math.max(
            width / (Tuning.TASKS_PER_WORKER * workers),
            Math.min(Tuning.MIN_TILE_LATENTS, width / workers));
    int worthwhile = (int) (Tuning.MIN_TILE_WORK / ((long) rows * encoder.dIn));
    int fitting = Tuning.tileLatents(rows);
    boolean whole = (long) encoder.dIn * width <= Tuning.FEW_CODES;
    int wanted = whole ? fitting : Math.min(Math.max(even, worthwhile), fitting);
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
