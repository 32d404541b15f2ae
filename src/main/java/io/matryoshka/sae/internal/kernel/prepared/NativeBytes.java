package io.matryoshka.sae.internal.kernel.prepared;

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
public final class NativeBytes {

  /** Bytes of the widest vector register. */
  public static final int ALIGNMENT = 64;

  private static final Cleaner CLEANER = Cleaner.create();

  private NativeBytes() {}

  /**
   * Allocates aligned little-endian memory. Java limits its direct memory, as a rule to the size of
   * the heap; beyond that, libtorch gives the memory.
   */
  public static ByteBuffer allocate(int bytes) {
    ByteBuffer buffer;
    try {
      buffer = allocateDirect(bytes);
    } catch (OutOfMemoryError e) {
      buffer = fromTorch(bytes);
    }
    return buffer.order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Whether memory outside the heap begins at a multiple of {@value #ALIGNMENT} bytes. */
  public static boolean isAligned(ByteBuffer memory) {
    return memory.isDirect() && memory.alignmentOffset(0, ALIGNMENT) == 0;
  }

  /** Zeroed memory outside the heap that is aligned. */
  public static ByteBuffer allocateDirect(int bytes) {
    // A slice that is aligned loses less than the alignment at either end.
    return ByteBuffer.allocateDirect(Math.addExact(bytes, 2 * ALIGNMENT))
        .alignedSlice(ALIGNMENT)
        .limit(bytes)
        .slice()
        .order(ByteOrder.nativeOrder());
  }

  static ByteBuffer fromTorch(int bytes) {
    NDManager owner = NDManager.newBaseManager(Device.cpu(), "PyTorch");
    ByteBuffer buffer = owner.create(new Shape(bytes), DataType.INT8).toByteBuffer(true);
    // Views of a buffer keep the buffer itself reachable.
    CLEANER.register(buffer, owner::close);
    return buffer;
  }
}
