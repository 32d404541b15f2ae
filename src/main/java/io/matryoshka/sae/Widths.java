package io.matryoshka.sae;

import java.util.ArrayList;
import java.util.List;

/** Lists of Matryoshka widths. */
final class Widths {

  private Widths() {}

  /** The widths below a bound, then the bound. */
  static List<Integer> upTo(List<Integer> widths, int bound) {
    List<Integer> kept = new ArrayList<>(widths.stream().filter(w -> w < bound).toList());
    kept.add(bound);
    return List.copyOf(kept);
  }
}
