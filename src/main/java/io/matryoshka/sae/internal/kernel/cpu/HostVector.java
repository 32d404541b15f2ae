package io.matryoshka.sae.internal.kernel.cpu;

import ai.djl.ndarray.NDArray;

/** The numbers of the array that was last asked for, which nobody changes, in Java memory. */
final class HostVector {

  private volatile Copy last = new Copy(null, new float[0]);

  private record Copy(NDArray of, float[] values) {}

  /** The numbers of an array on the CPU; they are not to be changed. */
  float[] of(NDArray array) {
    Copy found = last;
    if (found.of != array) {
      float[] values = new float[Math.toIntExact(array.size())];
      ActivationRows.floats(array).get(values);
      found = new Copy(array, values);
      last = found;
    }
    return found.values;
  }
}
