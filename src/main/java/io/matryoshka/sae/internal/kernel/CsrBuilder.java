package io.matryoshka.sae.internal.kernel;

import java.util.Arrays;

/** Collects rows of active latents one after the other. */
public final class CsrBuilder {

  private int[] rowOffsets;
  private int rows;
  private int[] latents = new int[1024];
  private float[] values = new float[1024];
  private int size;

  public CsrBuilder(int expectedRows) {
    rowOffsets = new int[expectedRows + 1];
  }

  public void add(int latent, float value) {
    if (size == latents.length) {
      grow();
    }
    latents[size] = latent;
    values[size++] = value;
  }

  public void endRow() {
    if (rows + 2 > rowOffsets.length) {
      rowOffsets = Arrays.copyOf(rowOffsets, Math.max(2 * rows, rows + 2));
    }
    rowOffsets[++rows] = size;
  }

  public Csr build() {
    return new Csr(
        Arrays.copyOf(rowOffsets, rows + 1),
        Arrays.copyOf(latents, size),
        Arrays.copyOf(values, size));
  }

  /**
   * Puts rows one after the other.
   *
   * @param parts the rows
   * @return all rows
   */
  public static Csr join(CsrBuilder[] parts) {
    if (parts.length == 1) {
      return parts[0].build();
    }
    int rows = 0;
    long entries = 0;
    for (CsrBuilder part : parts) {
      rows += part.rows;
      entries += part.size;
    }
    if (entries > Integer.MAX_VALUE - Long.BYTES) {
      throw tooMany(entries);
    }
    int[] rowOffsets = new int[rows + 1];
    int[] latents = new int[(int) entries];
    float[] values = new float[latents.length];
    int row = 0;
    int entry = 0;
    for (CsrBuilder part : parts) {
      for (int r = 1; r <= part.rows; r++) {
        rowOffsets[row + r] = entry + part.rowOffsets[r];
      }
      System.arraycopy(part.latents, 0, latents, entry, part.size);
      System.arraycopy(part.values, 0, values, entry, part.size);
      row += part.rows;
      entry += part.size;
    }
    return new Csr(rowOffsets, latents, values);
  }

  private static IllegalStateException tooMany(long entries) {
    return new IllegalStateException(
        "%d active latents are more than one call can return; encode fewer tokens at a time"
            .formatted(entries));
  }

  private void grow() {
    if (size > Integer.MAX_VALUE / 2) {
      throw tooMany(size);
    }
    latents = Arrays.copyOf(latents, 2 * size);
    values = Arrays.copyOf(values, 2 * size);
  }
}
