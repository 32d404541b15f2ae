package io.matryoshka.sae.internal.fetch;

import io.matryoshka.sae.config.SaeConfig;
import io.matryoshka.sae.config.TensorNames;
import io.matryoshka.sae.hub.ByteRange;
import io.matryoshka.sae.hub.RemoteFile;
import io.matryoshka.sae.internal.io.FileBytes;
import io.matryoshka.sae.internal.weights.SafetensorsTensors;
import io.matryoshka.sae.internal.weights.StoredTensor;
import io.matryoshka.sae.internal.weights.TensorFile;
import io.matryoshka.sae.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/**
 * Fetches the tensors of a prefix and writes them as SAELens does. What lies the other way round in
 * the source, or once for all latents, is fetched as it lies and turned on disk.
 */
final class PrefixWriter {

  private static final int CONNECTIONS = 16;
  private static final int COPY_BYTES = 1 << 20;

  private final RemoteFile remote;
  private final PrefixPlan plan;
  private final SaeConfig config;

  /**
   * Prepares for a part.
   *
   * @param config the configuration of the part
   */
  PrefixWriter(RemoteFile remote, PrefixPlan plan, SaeConfig config) {
    this.remote = remote;
    this.plan = plan;
    this.config = config;
  }

  void write(Path target) throws IOException {
    if (plan.isAsStored() && !config.architecture().hasSkip()) {
      fetch(target);
      return;
    }
    Path raw = target.resolveSibling("raw.safetensors");
    try {
      fetch(raw);
      turn(raw, target);
    } finally {
      Files.deleteIfExists(raw);
    }
  }

  /** Writes the bytes of the prefix in the order in which they lie. */
  private void fetch(Path target) throws IOException {
    SafetensorsWriter.Builder builder = SafetensorsWriter.builder();
    for (StoredTensor tensor : plan.stored()) {
      builder.tensor(tensor.name(), tensor.dtype(), tensor.shape());
    }
    try (SafetensorsWriter writer = builder.create(target)) {
      Iterator<PrefixPlan.Read> reads = plan.reads().iterator();
      List<ByteRange> ranges = plan.reads().stream().map(PrefixPlan.Read::range).toList();
      remote.read(
          ranges,
          CONNECTIONS,
          (range, data) -> {
            for (PrefixPlan.Piece piece : reads.next().pieces()) {
              int at = (int) (piece.begin() - range.offset());
              writer.write(piece.tensor(), data.slice(at, piece.length()));
            }
          });
      writer.finish();
    }
  }

  private void turn(Path raw, Path target) throws IOException {
    Map<String, long[]> shapes = config.architecture().tensors(config);
    try (TensorFile file = SafetensorsTensors.open(FileBytes.open(raw))) {
      SafetensorsWriter.Builder builder = SafetensorsWriter.builder();
      List<StoredTensor> tensors =
          file.tensors().stream().map(tensor -> turned(tensor, shapes.get(tensor.name()))).toList();
      for (StoredTensor tensor : tensors) {
        builder.tensor(tensor.name(), tensor.dtype(), tensor.shape());
      }
      try (SafetensorsWriter writer = builder.create(target)) {
        for (StoredTensor tensor : tensors) {
          copy(tensor, writer);
        }
        writer.finish();
      }
    }
  }

  /** The tensor as SAELens' files have it; the skip connection lies the other way round there. */
  private StoredTensor turned(StoredTensor tensor, long[] shape) {
    StoredTensor turned =
        tensor.elementCount() == 1 && shape.length == 1
            ? tensor.repeated(shape[0])
            : plan.isTurned(tensor.name()) ? tensor.transposed() : tensor;
    return turned.name().equals(TensorNames.W_SKIP) ? turned.transposed() : turned;
  }

  private static void copy(StoredTensor tensor, SafetensorsWriter writer) throws IOException {
    int width = tensor.dtype().bits() / Byte.SIZE;
    ByteBuffer chunk = ByteBuffer.allocate(COPY_BYTES);
    long count = tensor.elementCount();
    for (long done = 0; done < count; ) {
      int n = (int) Math.min(COPY_BYTES / width, count - done);
      tensor.read(done, chunk.clear().limit(n * width));
      writer.write(tensor.name(), chunk.flip());
      done += n;
    }
  }
}
