package io.matryoshka.sae.explore;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import io.matryoshka.sae.SAE;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;

/**
 * Finds the latents whose directions are nearest by cosine, within an SAE or in another one of the
 * same {@code d_in}.
 *
 * <p>The search is exact: cosines of all pairs are computed in blocks as float32 products, and each
 * pair that their rounding error lets into the result is computed again in double precision. Order,
 * values and ties (the lower latent first) are those of double precision. Memory: a few blocks of
 * 1024 directions and their products.
 */
public final class NearestLatents {

  private static final int BLOCK = 1024;

  private final SAE of;
  private final SAE among;
  private final Direction direction;
  private final int count;
  private final int first;
  private final int end;
  private final boolean withItself;

  /**
   * Describes a search.
   *
   * @param of the SAE of the latents that neighbours are wanted for
   * @param among the SAE to search, the same object to search within it; a latent is then not its
   *     own neighbour
   * @param direction what to compare
   * @param count neighbours wanted for each latent, at least 1
   * @throws IllegalArgumentException if the SAEs differ in {@code d_in}, or the count is below 1
   */
  public NearestLatents(SAE of, SAE among, Direction direction, int count) {
    this(of, among, direction, count, 0, among.dSae(), of != among);
  }

  private NearestLatents(
      SAE of, SAE among, Direction direction, int count, int first, int end, boolean withItself) {
    this.withItself = withItself;
    this.first = first;
    this.end = end;
    this.of = Objects.requireNonNull(of, "of");
    this.among = Objects.requireNonNull(among, "among");
    this.direction = Objects.requireNonNull(direction, "direction");
    this.count = count;
    if (direction.width(of) != direction.width(among)) {
      throw new IllegalArgumentException(
          ("nearest latents: both SAEs must have directions of one width, got %s and %s; directions"
                  + " in different spaces cannot be compared")
              .formatted(direction.width(of), direction.width(among)));
    }
    if (count < 1) {
      throw new IllegalArgumentException("nearest latents: expected at least 1, got " + count);
    }
  }

  /**
   * Limits the search to some consecutive latents, such as those of one level.
   *
   * @param from first latent searched
   * @param to first latent after it not searched
   * @return a changed search
   * @throws IndexOutOfBoundsException if there are no such latents
   */
  public NearestLatents within(int from, int to) {
    Objects.checkFromToIndex(from, to, among.dSae());
    return new NearestLatents(of, among, direction, count, from, to, withItself);
  }

  /** Searches as if the SAEs were two, also where they are one object. */
  NearestLatents asOfTwo() {
    return new NearestLatents(of, among, direction, count, first, end, true);
  }

  /**
   * Runs the search.
   *
   * @param latents the latents that neighbours are wanted for, in any order
   * @param progress told the number of latents done
   * @return for each latent its neighbours, nearest first; a direction of norm 0 has none and is
   *     none
   */
  public List<List<Neighbour>> find(int[] latents, LongConsumer progress) {
    List<List<Neighbour>> found = new ArrayList<>(latents.length);
    try (NDManager manager = NDManager.newBaseManager(Device.cpu())) {
      for (int from = 0; from < latents.length; from += BLOCK) {
        int[] block = Arrays.copyOfRange(latents, from, Math.min(latents.length, from + BLOCK));
        found.addAll(search(block, manager));
        progress.accept(found.size());
      }
    }
    return found;
  }

  private List<List<Neighbour>> search(int[] latents, NDManager manager) {
    UnitRows wanted = new UnitRows(gather(latents), direction.width(of));
    Nearest[] nearest = new Nearest[latents.length];
    Arrays.setAll(nearest, i -> new Nearest(count));
    for (int from = first; from < end; from += BLOCK) {
      int start = from;
      int to = Math.min(end, from + BLOCK);
      UnitRows others = new UnitRows(direction.rows(among, from, to), direction.width(of));
      float[] cosines = wanted.cosines(others, manager);
      IntStream.range(0, latents.length)
          .parallel()
          .filter(wanted::hasDirection)
          .forEach(i -> offer(nearest[i], latents[i], i, wanted, others, start, cosines));
    }
    return Arrays.stream(nearest).map(Nearest::list).toList();
  }

  private void offer(
      Nearest nearest, int self, int i, UnitRows wanted, UnitRows others, int start, float[] all) {
    // Both unit vectors and their product of dIn terms are rounded, each by half a unit of 2^-23.
    double error = (direction.width(of) + 4) * 0x1p-24;
    for (int j = 0; j < others.count; j++) {
      boolean own = !withItself && self == start + j;
      if (all[i * others.count + j] + error >= nearest.floor() && !own && others.hasDirection(j)) {
        nearest.offer(start + j, wanted.cosine(i, others, j));
      }
    }
  }

  /** Directions of some latents, read a run of consecutive ones at a time. */
  private float[] gather(int[] latents) {
    int dIn = direction.width(of);
    float[] rows = new float[latents.length * dIn];
    for (int i = 0; i < latents.length; ) {
      int end = i + 1;
      while (end < latents.length && latents[end] == latents[end - 1] + 1) {
        end++;
      }
      float[] run = direction.rows(of, latents[i], latents[end - 1] + 1);
      System.arraycopy(run, 0, rows, i * dIn, run.length);
      i = end;
    }
    return rows;
  }

  /** The nearest latents so far; offers come with rising index. */
  private static final class Nearest {

    private final int[] latents;
    private final double[] cosines;
    private int size;

    Nearest(int count) {
      latents = new int[count];
      cosines = new double[count];
    }

    double floor() {
      return size < latents.length ? Double.NEGATIVE_INFINITY : cosines[size - 1];
    }

    void offer(int latent, double cosine) {
      if (!(cosine > floor())) {
        return;
      }
      int at = Math.min(size, latents.length - 1);
      for (; at > 0 && cosine > cosines[at - 1]; at--) {
        cosines[at] = cosines[at - 1];
        latents[at] = latents[at - 1];
      }
      cosines[at] = cosine;
      latents[at] = latent;
      size = Math.min(latents.length, size + 1);
    }

    List<Neighbour> list() {
      List<Neighbour> list = new ArrayList<>();
      for (int i = 0; i < size; i++) {
        list.add(new Neighbour(latents[i], cosines[i]));
      }
      return list;
    }
  }
}
