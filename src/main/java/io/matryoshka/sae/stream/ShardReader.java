package io.matryoshka.sae.stream;

import io.matryoshka.sae.npy.NpyFile;
import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.attribute.BasicFileAttributes;

/** An open file of activations. Reads by position; no part of the file stays in memory. */
abstract class ShardReader implements AutoCloseable {

  private static final int DOUBLES = 1 << 13;

  /** Opens a file whose header was read before, and checks that it has not changed since. */
  static ShardReader open(ActivationShard shard) throws IOException {
    requireUnchanged(shard);
    return ActivationFiles.isNpy(shard.file())
        ? new Npy(NpyFile.open(shard.file()))
        : new Safetensors(SafetensorsFile.open(shard.file()), shard.tensor());
  }

  /** Refuses a file that was written to since its header was read. */
  static void requireUnchanged(ActivationShard shard) throws IOException {
    BasicFileAttributes now = Files.readAttributes(shard.file(), BasicFileAttributes.class);
    if (now.size() != shard.sizeBytes() || !now.lastModifiedTime().equals(shard.modified())) {
      throw new ActivationException(
          shard.file()
              + ": the file changed while it was read: "
              + shard.sizeBytes()
              + " bytes of "
              + shard.modified()
              + " when it was opened, "
              + now.size()
              + " bytes of "
              + now.lastModifiedTime()
              + " now; start again when the files are complete");
    }
  }

  /** Reads consecutive elements in row-major order, rounded to float where they are doubles. */
  abstract void read(long firstElement, float[] target, int offset, int count) throws IOException;

  @Override
  public abstract void close() throws IOException;

  private static final class Npy extends ShardReader {
    private final NpyFile file;

    Npy(NpyFile file) {
      this.file = file;
    }

    @Override
    void read(long firstElement, float[] target, int offset, int count) throws IOException {
      file.readFloats(firstElement, target, offset, count);
    }

    @Override
    public void close() throws IOException {
      file.close();
    }
  }

  private static final class Safetensors extends ShardReader {
    private final SafetensorsFile file;
    private final String tensor;
    private final boolean doubles;

    Safetensors(SafetensorsFile file, String tensor) throws IOException {
      this.file = file;
      this.tensor = tensor;
      this.doubles = file.info(tensor).dtype() == Dtype.F64;
    }

    @Override
    void read(long firstElement, float[] target, int offset, int count) throws IOException {
      if (!doubles) {
        file.readFloats(tensor, firstElement, target, offset, count);
        return;
      }
      for (int done = 0; done < count; ) {
        double[] part = new double[Math.min(DOUBLES, count - done)];
        file.readDoubles(tensor, firstElement + done, part);
        for (int i = 0; i < part.length; i++) {
          target[offset + done + i] = (float) part[i];
        }
        done += part.length;
      }
    }

    @Override
    public void close() throws IOException {
      file.close();
    }
  }
}
