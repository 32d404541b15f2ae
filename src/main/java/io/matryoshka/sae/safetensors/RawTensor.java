package io.matryoshka.sae.safetensors;

/**
 * A tensor's description as read from a header, before validation. Numbers are unsigned.
 *
 * @param name the tensor's name
 * @param dtype the element type
 * @param shape the dimensions
 * @param begin the announced first byte in the body
 * @param end the announced byte after the last in the body
 */
record RawTensor(String name, Dtype dtype, long[] shape, long begin, long end) {

  String offsets() {
    return "[" + Long.toUnsignedString(begin) + ", " + Long.toUnsignedString(end) + "]";
  }
}
