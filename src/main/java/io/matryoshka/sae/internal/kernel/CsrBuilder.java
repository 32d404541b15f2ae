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

  private void grow() {
    if (size > Integer.MAX_VALUE / 2) {
      throw new IllegalStateException(
          "more than " + size + " active latents in one call; encode fewer tokens at a time");
    }
    latents = Arrays.copyOf(latents, 2 * size);
    values = Arrays.copyOf(values, 2 * size);
  }
}
