package io.matryoshka.sae.internal.weights;

import io.matryoshka.sae.config.SaeConfig;
import io.matryoshka.sae.internal.io.CacheFolder;
import io.matryoshka.sae.internal.kernel.prepared.EncoderRowsStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * Where prepared data of a weight file is kept: beside the weights where the folder can be written
 * and is not part of a Hub cache, whose layout Python owns; else in {@link CacheFolder}.
 *
 * @param path the file of prepared data
 * @param fingerprint a number that changes whenever the weights do
 */
public record PreparedFile(Path path, long fingerprint) {

  private static final String NAME = ".matryoshka-sae.encoder";

  /** Pieces of the weight file that go into its fingerprint, each of this many bytes. */
  private static final int SAMPLES = 64;

  private static final int SAMPLE_BYTES = 4096;

  /** Looks at the weight file; empty where that fails, and then nothing is kept. */
  public static Optional<PreparedFile> of(Path weightFile, SaeConfig config) {
    try {
      Path real = weightFile.toRealPath();
      long fingerprint = fingerprint(real, config);
      Path folder = weightFile.toAbsolutePath().getParent();
      boolean beside =
          Files.isWritable(folder)
              && !Files.isSymbolicLink(weightFile)
              && !folder.toString().contains("snapshots");
      Path file =
          beside
              ? folder.resolve(NAME)
              : CacheFolder.root()
                  .resolve("prepared")
                  .resolve(String.format("%016x.encoder", fingerprint));
      return Optional.of(new PreparedFile(file, fingerprint));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  public EncoderRowsStore store() {
    return new EncoderRowsStore(path, fingerprint);
  }

  /** Mixes size, time of change, dtype and samples over the whole file. */
  private static long fingerprint(Path file, SaeConfig config) throws IOException {
    CRC32C low = new CRC32C();
    CRC32C high = new CRC32C();
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      long size = channel.size();
      ByteBuffer facts = ByteBuffer.allocate(2 * Long.BYTES + Integer.BYTES);
      facts.putLong(size).putLong(Files.getLastModifiedTime(file).toMillis());
      facts.putInt(config.dtype().ordinal());
      high.update(facts.flip());
      ByteBuffer sample = ByteBuffer.allocate(SAMPLE_BYTES);
      for (int s = 0; s < SAMPLES; s++) {
        sample.clear();
        channel.read(sample, (size - Math.min(size, SAMPLE_BYTES)) / (SAMPLES - 1) * s);
        low.update(sample.flip());
      }
    }
    return high.getValue() << Integer.SIZE | low.getValue();
  }
}
