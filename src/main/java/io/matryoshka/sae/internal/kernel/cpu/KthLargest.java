package io.matryoshka.sae.internal.kernel.cpu;

import java.util.Arrays;

/** The k-th largest of the numbers offered so far: a min-heap of the k largest. */
final class KthLargest {

  private final float[] heap;
  private int size;

  KthLargest(int k) {
    heap = new float[k];
  }

  /** The k-th largest number so far, or negative infinity before there are k. */
  float floor() {
    return size < heap.length ? Float.NEGATIVE_INFINITY : heap[0];
  }

  /** The numbers that the floor rests on, in no order. */
  float[] values() {
    return Arrays.copyOf(heap, size);
  }

  /**
   * Offers the lower bounds of some consecutive latents, and adds those that may be among the k
   * largest to the candidates.
   *
   * @param most upper bounds; a NaN stays a candidate
   * @param least lower bounds
   * @param first latent of the first bound
   * @param floor below which nothing is wanted, as is nothing below 0
   * @param found takes the candidates
   */
  void scan(float[] most, float[] least, int first, float floor, TileCandidates found) {
    for (int j = 0; j < most.length; j++) {
      if (!(most[j] < Math.max(Math.max(0f, floor), floor()))) {
        found.add(first + j, most[j]);
      }
      offer(least[j]);
    }
  }

  void offer(float value) {
    if (size < heap.length) {
      heap[size++] = Float.isNaN(value) ? Float.NEGATIVE_INFINITY : value;
      if (size == heap.length) {
        Arrays.sort(heap);
      }
    } else if (value > heap[0]) {
      sink(value);
    }
  }

  private void sink(float value) {
    int hole = 0;
    while (2 * hole + 1 < size) {
      int child = 2 * hole + 1;
      if (child + 1 < size && heap[child + 1] < heap[child]) {
        child++;
      }
      if (heap[child] >= value) {
        break;
      }
      heap[hole] = heap[child];
      hole = child;
    }
    heap[hole] = value;
  }
}
