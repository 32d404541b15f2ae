package io.matryoshka.sae.safetensors;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Reads elements through a small buffer, so that no tensor need be mapped or held twice. */
final class ElementReader {

  /** Some Java machines cannot make an array of the last few lengths. */
  static final int MAX_ARRAY = Integer.MAX_VALUE - 8;

  /** Large enough to hide the cost of a system call, small enough to stay in the cache. */
  private static final int CHUNK_BYTES = 1 << 17;

  /** Kept by each thread: a caller that reads a file in small parts would leave as much garbage. */
  private static final ThreadLocal<ByteBuffer> CHUNK =
      ThreadLocal.withInitial(() -> ByteBuffer.allocate(CHUNK_BYTES));

  private ElementReader() {}

  /** Takes elements {@code done} to {@code done + count}, which are all of the buffer. */
  @FunctionalInterface
  interface Sink {
    void accept(ByteBuffer bytes, int done, int count);
  }

  static void requireFits(SafetensorsFile file, TensorInfo info, boolean fits, String type)
      throws SafetensorsException {
    if (!fits) {
      throw new SafetensorsException(
          "%sis %s, which a Java %s does not hold exactly; %s"
              .formatted(file.where(info), info.dtype(), type, advice(info.dtype())));
    }
  }

  private static String advice(Dtype dtype) {
    if (Widening.fitsLong(dtype)) {
      return "use readLongs";
    }
    return Widening.fitsDouble(dtype) ? "use readDoubles" : "use map or read for its bytes";
  }

  static void read(SafetensorsFile file, TensorInfo info, long firstElement, int count, Sink sink)
      throws IOException {
    file.checkRange(info, "element", firstElement, count, info.elementCount());
    int width = info.dtype().bits() / Byte.SIZE;
    ByteBuffer chunk = CHUNK.get();
    for (int done = 0; done < count; ) {
      int n = Math.min(CHUNK_BYTES / width, count - done);
      chunk.clear().limit(n * width);
      file.read(info.name(), (firstElement + done) * width, chunk);
      sink.accept(chunk.flip(), done, n);
      done += n;
    }
  }
}
