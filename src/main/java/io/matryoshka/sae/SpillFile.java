package io.matryoshka.sae;

import io.matryoshka.sae.internal.io.TemporaryFile;
import io.matryoshka.sae.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/** A temporary file that takes the elements of one tensor until their number is known. */
final class SpillFile implements AutoCloseable {

  private static final int CHUNK_BYTES = 1 << 17;

  private final TemporaryFile file;
  private final FileChannel channel;
  private final ByteBuffer chunk =
      ByteBuffer.allocateDirect(CHUNK_BYTES).order(ByteOrder.LITTLE_ENDIAN);

  private SpillFile(TemporaryFile file) {
    this.file = file;
    this.channel = file.channel();
  }

  static SpillFile create(Path target, String tensor) throws IOException {
    return new SpillFile(
        TemporaryFile.create(
            target.toAbsolutePath().getParent(), target.getFileName() + "." + tensor, target));
  }

  void write(int[] elements) throws IOException {
    int perChunk = CHUNK_BYTES / Integer.BYTES;
    for (int done = 0; done < elements.length; done += perChunk) {
      int count = Math.min(perChunk, elements.length - done);
      chunk.clear().asIntBuffer().put(elements, done, count);
      file.append(chunk.limit(count * Integer.BYTES));
    }
  }

  void write(float[] elements) throws IOException {
    int perChunk = CHUNK_BYTES / Float.BYTES;
    for (int done = 0; done < elements.length; done += perChunk) {
      int count = Math.min(perChunk, elements.length - done);
      chunk.clear().asFloatBuffer().put(elements, done, count);
      file.append(chunk.limit(count * Float.BYTES));
    }
  }

  /** Copies all elements to a tensor of the file to be. */
  void copyTo(SafetensorsWriter writer, String tensor) throws IOException {
    long size = channel.size();
    for (long done = 0; done < size; ) {
      chunk.clear();
      int count = channel.read(chunk, done);
      if (count < 0) {
        throw new IOException(file.path() + ": the temporary file has become shorter; run again");
      }
      writer.write(tensor, chunk.flip());
      done += count;
    }
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
