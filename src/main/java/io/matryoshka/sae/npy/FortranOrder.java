package io.matryoshka.sae.npy;

import java.io.IOException;
import java.util.Arrays;

/**
 * Reads a column-major array in row-major order. The elements of a row lie apart, those of a column
 * side by side: so each column of the wanted rows is read in pieces from the front to the back.
 */
final class FortranOrder {

  private static final int PIECE_ELEMENTS = 1 << 14;

  /** Reads consecutive elements as they lie in the file. */
  @FunctionalInterface
  interface Stored {
    void read(long first, float[] target, int count) throws IOException;
  }

  private final Stored stored;
  private final long[] leading;
  private final long rows;
  private final long columns;

  /** Wraps an array of two dimensions or more. */
  FortranOrder(long[] shape, Stored stored) {
    this.stored = stored;
    leading = Arrays.copyOf(shape, shape.length - 1);
    rows = Arrays.stream(leading).reduce(1, (a, b) -> a * b);
    columns = shape[shape.length - 1];
  }

  void read(long first, float[] target, int offset, int count) throws IOException {
    if (count == 0) {
      return;
    }
    long firstRow = first / columns;
    int wanted = (int) ((first + count - 1) / columns - firstRow) + 1;
    long[] places = new long[wanted];
    for (int i = 0; i < wanted; i++) {
      places[i] = place(firstRow + i);
    }
    Arrays.sort(places);
    float[] piece = new float[PIECE_ELEMENTS];
    for (long column = 0; column < columns; column++) {
      for (int from = 0; from < wanted; ) {
        int to = from + 1;
        while (to < wanted && places[to] - places[from] < PIECE_ELEMENTS) {
          to++;
        }
        int length = (int) (places[to - 1] - places[from]) + 1;
        stored.read(column * rows + places[from], piece, length);
        for (int i = from; i < to; i++) {
          long at = row(places[i]) * columns + column - first;
          if (at >= 0 && at < count) {
            target[offset + (int) at] = piece[(int) (places[i] - places[from])];
          }
        }
        from = to;
      }
    }
  }

  /** The place of a row within a column: its leading indices, the first of them fastest. */
  private long place(long row) {
    long rest = row;
    long stride = rows;
    long place = 0;
    for (int d = leading.length - 1; d >= 0; d--) {
      stride /= leading[d];
      place += rest % leading[d] * stride;
      rest /= leading[d];
    }
    return place;
  }

  /** The row at a place; undoes {@link #place}. */
  private long row(long place) {
    long rest = place;
    long stride = rows;
    long row = 0;
    for (long dimension : leading) {
      stride /= dimension;
      row += rest % dimension * stride;
      rest /= dimension;
    }
    return row;
  }
}
