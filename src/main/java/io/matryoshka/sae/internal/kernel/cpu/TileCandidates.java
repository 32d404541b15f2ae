package io.matryoshka.sae.internal.kernel.cpu;

import java.util.Arrays;

/** The latents of one tile that screening could not rule out, row after row, rising. */
final class TileCandidates {

  private final Candidates.Known known;
  private final int[] ends;
  private int[] latents = new int[256];
  private float[] numbers;
  private int size;

  /**
   * Makes an empty list.
   *
   * @param rows number of rows
   * @param known what comes with each entry
   */
  TileCandidates(int rows, Candidates.Known known) {
    this.known = known;
    ends = new int[rows];
    numbers = new float[known == Candidates.Known.NOTHING ? 0 : latents.length];
  }

  void add(int latent) {
    if (size == latents.length) {
      latents = Arrays.copyOf(latents, 2 * size);
      if (numbers.length > 0) {
        numbers = Arrays.copyOf(numbers, 2 * size);
      }
    }
    latents[size++] = latent;
  }

  void add(int latent, float number) {
    add(latent);
    numbers[size - 1] = number;
  }

  /** Number of entries so far. */
  int size() {
    return size;
  }

  void endRow(int row) {
    ends[row] = size;
  }

  /** The candidates of a row in all tiles, or null if there are more than {@code most}. */
  static Candidates join(TileCandidates[] tiles, int row, int most) {
    int size = 0;
    for (TileCandidates tile : tiles) {
      size += tile.ends[row] - tile.begin(row);
    }
    if (size > most) {
      return null;
    }
    Candidates joined = new Candidates(size, tiles[0].known);
    for (TileCandidates tile : tiles) {
      joined.addAll(tile.latents, tile.numbers, tile.begin(row), tile.ends[row]);
    }
    return joined;
  }

  private int begin(int row) {
    return row == 0 ? 0 : ends[row - 1];
  }
}
