package io.matryoshka.sae.kernel;

import java.util.Arrays;

/** The k-th largest of the numbers offered so far: a min-heap of the k largest. */
final class TopFloor {

  private final float[] heap;
  private int size;

  TopFloor(int k) {
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

  void offer(float value) {
    if (size < heap.length) {
      heap[size++] = value;
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
