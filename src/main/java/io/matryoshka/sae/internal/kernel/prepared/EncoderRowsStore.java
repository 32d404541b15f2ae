package io.matryoshka.sae.internal.kernel.prepared;

import io.matryoshka.sae.internal.io.AtomicFile;
import io.matryoshka.sae.internal.io.TemporaryFile;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a prepared encoder on disk, see {@link EncoderFile}. A file is written under a name of its
 * own and moved into place in one step, so concurrent writers and a kill at any moment leave no
 * half file under the final name; a file that is stale, of another version or damaged is ignored
 * and written again. Whatever goes wrong with the file, the encoder is then prepared in memory.
 */
public final class EncoderRowsStore {

  private static final Logger LOG = LoggerFactory.getLogger(EncoderRowsStore.class);

  /** The disk is not filled below this. */
  private static final long SPARE_BYTES = 64L << 20;

  private final Path file;
  private final long fingerprint;

  /**
   * Makes a store for one encoder.
   *
   * @param file where the prepared data lies or shall lie
   * @param fingerprint a number that changes whenever the weights do
   */
  public EncoderRowsStore(Path file, long fingerprint) {
    this.file = file;
    this.fingerprint = fingerprint;
  }

  /** Maps the stored encoder, or builds it and stores it where possible. */
  public EncoderRows loadOrBuild(WeightSource source, int dIn, int dSae) throws IOException {
    TemporaryFile.removeAbandoned(file.toAbsolutePath().getParent());
    EncoderFile format = new EncoderFile(dIn, dSae, fingerprint);
    Optional<EncoderRows> stored = load(format);
    if (stored.isPresent()) {
      return stored.get();
    }
    try {
      return build(format, source, dIn, dSae);
    } catch (IOException e) {
      LOG.info("the prepared encoder is kept in memory, not in {}: {}", file, e.toString());
      return EncoderRowsBuilder.inMemory(source, dIn, dSae);
    }
  }

  private Optional<EncoderRows> load(EncoderFile format) {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      return switch (format.check(channel)) {
        case VALID -> Optional.of(format.map(channel));
        case STALE -> Optional.empty();
        case CORRUPT -> {
          LOG.warn("the prepared encoder {} is damaged and is prepared again", file);
          yield Optional.empty();
        }
      };
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      LOG.info("the prepared encoder {} cannot be read: {}", file, e.toString());
      return Optional.empty();
    }
  }

  private EncoderRows build(EncoderFile format, WeightSource source, int dIn, int dSae)
      throws IOException {
    Path folder = Files.createDirectories(file.toAbsolutePath().getParent());
    try (AtomicFile part = AtomicFile.create(file)) {
      long space = Files.getFileStore(folder).getUsableSpace();
      if (space < format.size() + SPARE_BYTES) {
        throw new IOException(
            "it takes " + format.size() + " bytes and the disk has " + space + " left");
      }
      FileChannel channel = part.channel();
      LatentNorms norms =
          EncoderRowsBuilder.build(
              source,
              dIn,
              dSae,
              (first, count, rows, codes) -> format.write(channel, first, count, rows, codes));
      format.writeHead(channel, norms);
      EncoderRows built = format.map(channel);
      part.commitUnforced(); // Its checksums tell of a loss of power.
      return built;
    }
  }
}
