package io.matryoshka.sae.internal.spark.store;

import io.matryoshka.sae.npy.HalfType;
import io.matryoshka.sae.store.FileStamp;
import io.matryoshka.sae.stream.ActivationException;
import io.matryoshka.sae.stream.ActivationShard;
import io.matryoshka.sae.stream.ActivationSource;
import java.io.Serializable;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;

/**
 * A source of activations with the headers that the driver has read, so that hosts read none. A
 * file that has changed since is refused by the host that reads it.
 */
public final class SourceRef implements Serializable {

  private static final long serialVersionUID = 1;

  private final ArrayList<Shard> shards;

  /**
   * One file, as {@link ActivationShard} describes it.
   *
   * @param file the file
   * @param tensor the name of the tensor, empty for a {@code .npy} file
   * @param dtype the element type as the file calls it
   * @param bits the name of what the elements are, empty where the file tells
   * @param shape the dimensions
   * @param rows the number of rows
   * @param sizeBytes the size of the file
   * @param modified when it was written
   */
  private record Shard(
      FileRef file,
      String tensor,
      String dtype,
      String bits,
      long[] shape,
      long rows,
      long sizeBytes,
      Instant modified)
      implements Serializable {

    static Shard of(ActivationShard shard) {
      return new Shard(
          FileRef.of(shard.file()),
          shard.tensor(),
          shard.dtype(),
          shard.bits().map(HalfType::name).orElse(""),
          shard.shape().stream().mapToLong(Long::longValue).toArray(),
          shard.rows(),
          shard.stamp().sizeBytes(),
          shard.stamp().modified().toInstant());
    }

    public ActivationShard open(Configuration hadoop) {
      return new ActivationShard(
          file.file(hadoop),
          tensor,
          dtype,
          bits.isEmpty() ? Optional.empty() : Optional.of(HalfType.valueOf(bits)),
          Arrays.stream(shape).boxed().toList(),
          rows,
          0,
          new FileStamp(sizeBytes, FileTime.from(modified)));
    }
  }

  private SourceRef(ArrayList<Shard> shards) {
    this.shards = shards;
  }

  /** Takes the headers of a source. */
  public static SourceRef of(ActivationSource source) {
    return of(source.shards());
  }

  /** Takes the headers of some files of a source. */
  public static SourceRef of(List<ActivationShard> files) {
    ArrayList<Shard> shards = new ArrayList<>(files.size());
    files.forEach(file -> shards.add(Shard.of(file)));
    return new SourceRef(shards);
  }

  /** Makes the source again; opens no file. */
  public ActivationSource open(Configuration hadoop) throws ActivationException {
    return ActivationSource.of(shards.stream().map(shard -> shard.open(hadoop)).toList());
  }
}
