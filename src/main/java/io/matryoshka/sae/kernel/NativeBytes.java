package io.matryoshka.sae.kernel;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.lang.ref.Cleaner;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Memory outside the heap for what lives as long as an SAE. It is given back when the buffer and
 * all views of it have been garbage collected.
 */
final class NativeBytes {

  private static final Cleaner CLEANER = Cleaner.create();

  private NativeBytes() {}

  /**
   * Allocates aligned little-endian memory, see {@link AlignedRows}. Java limits its direct memory,
   * as a rule to the size of the heap; beyond that, libtorch gives the memory.
   */
  static ByteBuffer allocate(int bytes) {
    ByteBuffer buffer;
    try {
      buffer = AlignedRows.allocate(bytes);
    } catch (OutOfMemoryError e) {
      buffer = fromTorch(bytes);
    }
    return buffer.order(ByteOrder.LITTLE_ENDIAN);
  }

  static ByteBuffer fromTorch(int bytes) {
    NDManager owner = NDManager.newBaseManager(Device.cpu(), "PyTorch");
    ByteBuffer buffer = owner.create(new Shape(bytes), DataType.INT8).toByteBuffer(true);
    // Views of a buffer keep the buffer itself reachable.
    CLEANER.register(buffer, owner::close);
    return buffer;
  }
}
