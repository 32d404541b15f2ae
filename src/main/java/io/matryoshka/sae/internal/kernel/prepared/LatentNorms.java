package io.matryoshka.sae.internal.kernel.prepared;

/**
 * What the bound of the screening needs of the encoder's rows, {@code [d_sae]} each.
 *
 * @param step value of one code unit
 * @param norm upper bound of the norm of the row
 * @param residualNorm upper bound of the norm of the row less its approximation
 */
public record LatentNorms(float[] step, float[] norm, float[] residualNorm) {

  public LatentNorms(int dSae) {
    this(new float[dSae], new float[dSae], new float[dSae]);
  }
}
