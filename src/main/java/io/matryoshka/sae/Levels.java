package io.matryoshka.sae;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * The Matryoshka levels of an SAE: level i holds the latents from the trained width before, or 0,
 * up to the i-th trained width. Immutable.
 *
 * <pre>{@code
 * Levels levels = Levels.of(sae); // widths 32, 128, 512
 * levels.count(); // 3
 * levels.of(40); // 1, as latent 40 lies in 32..127
 * levels.from(1); // 32
 * levels.to(1); // 128, the prefix width that ends with level 1
 * }</pre>
 *
 * @param widths the trained widths, rising, the last one the number of latents
 */
public record Levels(List<Integer> widths) {

  /**
   * Checks and copies the widths.
   *
   * @param widths the trained widths
   * @throws IllegalArgumentException if there is none, or they do not rise from at least 1
   */
  public Levels {
    widths = List.copyOf(widths);
    int before = 0;
    for (int width : widths) {
      if (width <= before) {
        throw new IllegalArgumentException(
            "levels: widths must rise from at least 1, got " + widths);
      }
      before = width;
    }
    if (widths.isEmpty()) {
      throw new IllegalArgumentException("levels: expected at least one width, got none");
    }
  }

  /**
   * Returns the levels of an SAE or of a prefix view.
   *
   * @param sae the SAE
   * @return its levels, those of {@link SAE#widths()}
   */
  public static Levels of(SAE sae) {
    return new Levels(sae.widths());
  }

  /** Returns a single level. */
  static Levels ofOne(int width) {
    return new Levels(List.of(width));
  }

  /** Returns the levels of the first {@code bound} latents: the widths below it, then itself. */
  static Levels below(List<Integer> widths, int bound) {
    List<Integer> kept = new ArrayList<>(widths.stream().filter(w -> w < bound).toList());
    kept.add(bound);
    return new Levels(kept);
  }

  /**
   * Returns the number of levels.
   *
   * @return at least 1
   */
  public int count() {
    return widths.size();
  }

  /**
   * Returns the first latent of a level.
   *
   * @param level index of the level, from 0
   * @return index of the latent
   * @throws IndexOutOfBoundsException if there is no such level
   */
  public int from(int level) {
    Objects.checkIndex(level, count());
    return level == 0 ? 0 : widths.get(level - 1);
  }

  /**
   * Returns the latent after the last of a level, which is the prefix width that ends with it.
   *
   * @param level index of the level, from 0
   * @return index of the latent, exclusive
   * @throws IndexOutOfBoundsException if there is no such level
   */
  public int to(int level) {
    Objects.checkIndex(level, count());
    return widths.get(level);
  }

  /**
   * Finds the level of a latent.
   *
   * @param latent index of the latent
   * @return index of the level, from 0
   * @throws IndexOutOfBoundsException if there is no such latent
   */
  public int of(int latent) {
    Objects.checkIndex(latent, to(count() - 1));
    int level = 0;
    while (latent >= widths.get(level)) {
      level++;
    }
    return level;
  }

  /**
   * Returns the level of every latent, for loops that look it up often.
   *
   * @return {@code [d_sae]}, a new array
   */
  public int[] byLatent() {
    int[] levels = new int[to(count() - 1)];
    for (int level = 0; level < count(); level++) {
      Arrays.fill(levels, from(level), to(level), level);
    }
    return levels;
  }

  /**
   * Returns the widths as an array.
   *
   * @return {@code [count]}, a new array
   */
  public int[] toArray() {
    return widths.stream().mapToInt(Integer::intValue).toArray();
  }
}
