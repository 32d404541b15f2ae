package io.matryoshka.sae.stream;

import io.matryoshka.sae.npy.HalfType;
import io.matryoshka.sae.npy.NpyFile;
import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import io.matryoshka.sae.store.FileStamp;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** An open file of activations. Reads by position; no part of the file stays in memory. */
abstract class ShardReader implements AutoCloseable {

  private static final int DOUBLES = 1 << 13;

  /** Opens a file whose header was read before, and checks that it has not changed since. */
  static ShardReader open(ActivationShard shard) throws IOException {
    requireUnchanged(shard);
    if (!shard.tensor().isEmpty()) {
      SafetensorsFile file = SafetensorsFile.open(shard.file().open());
      return shard.bits().isPresent()
          ? new Halves(file, shard.tensor(), shard.bits().get())
          : new Safetensors(file, shard.tensor());
    }
    return new Npy(
        shard.bits().isPresent()
            ? NpyFile.open(shard.file().open(), shard.bits().get())
            : NpyFile.open(shard.file().open()));
  }

  /** Refuses a file that was written to since its header was read. */
  static void requireUnchanged(ActivationShard shard) throws IOException {
    FileStamp before = shard.stamp();
    FileStamp now = shard.file().stamp();
    if (!now.equals(before)) {
      throw new ActivationException(
          ("%s: the file changed while it was read: %d bytes of %s when it was opened, %d bytes of"
                  + " %s now; start again when the files are complete")
              .formatted(
                  shard.file().name(),
                  before.sizeBytes(),
                  before.modified(),
                  now.sizeBytes(),
                  now.modified()));
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

  /** Two-byte elements whose type the caller has told. */
  private static final class Halves extends ShardReader {
    private final SafetensorsFile file;
    private final String tensor;
    private final HalfType bits;

    Halves(SafetensorsFile file, String tensor, HalfType bits) {
      this.file = file;
      this.tensor = tensor;
      this.bits = bits;
    }

    @Override
    void read(long firstElement, float[] target, int offset, int count) throws IOException {
      ByteBuffer bytes =
          ByteBuffer.allocate(Math.multiplyExact(count, Short.BYTES))
              .order(ByteOrder.LITTLE_ENDIAN);
      file.read(tensor, firstElement * Short.BYTES, bytes);
      bits.toFloats(bytes.flip(), target, offset, count);
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
