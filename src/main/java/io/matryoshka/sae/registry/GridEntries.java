package io.matryoshka.sae.registry;

import java.util.AbstractList;
import java.util.List;
import java.util.Objects;
import java.util.RandomAccess;
import java.util.SortedSet;
import java.util.TreeSet;

/** The SAEs of grids, one grid after the other. An entry is made when it is asked for. */
final class GridEntries extends AbstractList<SaeEntry> implements RandomAccess {

  private final List<SaeGrid> grids;
  private final int size;

  GridEntries(List<SaeGrid> grids) {
    this.grids = List.copyOf(grids);
    this.size = grids.stream().mapToInt(SaeGrid::size).sum();
  }

  @Override
  public SaeEntry get(int index) {
    int rest = Objects.checkIndex(index, size);
    for (SaeGrid grid : grids) {
      if (rest < grid.size()) {
        return grid.entry(rest);
      }
      rest -= grid.size();
    }
    throw new IndexOutOfBoundsException(index);
  }

  @Override
  public int size() {
    return size;
  }

  /** The numbers of latents of the SAEs, without making their entries. */
  SortedSet<Integer> latentCounts() {
    SortedSet<Integer> counts = new TreeSet<>();
    grids.stream().filter(grid -> grid.size() > 0).forEach(g -> counts.addAll(g.dSae().values()));
    return counts;
  }

  @Override
  public String toString() {
    return "[" + size + " SAEs]";
  }
}
