package io.matryoshka.sae.internal.fetch;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a folder with a part of an SAE says of itself, in {@value #NAME}. The Hub's hash is of the
 * whole file and cannot prove a part, so the record keeps checksums of what was written.
 *
 * @param formatVersion {@value #VERSION}
 * @param repo the repository on the Hub
 * @param commit the commit that the part is of
 * @param file the weight file in the repository
 * @param etag the Hub's name of the whole file's content
 * @param dSae number of latents of the whole SAE
 * @param width number of latents of the part
 * @param files the files of the part
 */
record PrefixRecord(
    int formatVersion,
    String repo,
    String commit,
    String file,
    String etag,
    int dSae,
    int width,
    Map<String, Sum> files) {

  static final String NAME = "part.json";
  static final int VERSION = 1;
  static final List<String> FILES = List.of(SaeFiles.CONFIG, SaeFiles.WEIGHTS);

  private static final Logger LOG = LoggerFactory.getLogger(PrefixRecord.class);
  private static final int BUFFER_BYTES = 1 << 20;
  private static final ObjectMapper JSON =
      JsonMapper.builder().propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE).build();

  /**
   * Length and checksum of a file.
   *
   * @param sizeBytes its length
   * @param crc32c its CRC-32C
   */
  record Sum(long sizeBytes, long crc32c) {

    static Sum of(Path path) throws IOException {
      CRC32C crc = new CRC32C();
      ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
      try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
        while (channel.read(buffer) >= 0) {
          crc.update(buffer.flip());
          buffer.clear();
        }
        return new Sum(channel.size(), crc.getValue());
      }
    }
  }

  static Map<String, Sum> sums(Path folder) throws IOException {
    Map<String, Sum> sums = new LinkedHashMap<>();
    for (String name : FILES) {
      sums.put(name, Sum.of(folder.resolve(name)));
    }
    return sums;
  }

  void write(Path folder) throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            folder.resolve(NAME), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      ByteBuffer bytes =
          ByteBuffer.wrap(JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(this));
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      channel.force(true);
    }
  }

  /** Reads the record of a folder; empty where there is none of this version. */
  static Optional<PrefixRecord> read(Path folder) {
    try {
      return Optional.of(
              JSON.readValue(Files.readAllBytes(folder.resolve(NAME)), PrefixRecord.class))
          .filter(
              r ->
                  r.formatVersion == VERSION
                      && r.files != null
                      && r.files.keySet().containsAll(FILES));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (JsonProcessingException e) {
      LOG.warn("{} is damaged and not used: {}", folder.resolve(NAME), e.getOriginalMessage());
    } catch (IOException e) {
      LOG.warn("{} cannot be read and is not used: {}", folder.resolve(NAME), e.toString());
    }
    return Optional.empty();
  }

  /** Tells whether all files of a folder are as they were written. */
  static boolean isIntact(Path folder) {
    return read(folder).filter(record -> record.describes(folder)).isPresent();
  }

  private boolean describes(Path folder) {
    for (Map.Entry<String, Sum> entry : files.entrySet()) {
      Path path = folder.resolve(entry.getKey());
      try {
        boolean same =
            Files.size(path) == entry.getValue().sizeBytes && Sum.of(path).equals(entry.getValue());
        if (!same) {
          LOG.warn("{} is damaged and not used", path);
          return false;
        }
      } catch (IOException e) {
        LOG.warn("{} cannot be read and is not used: {}", path, e.toString());
        return false;
      }
    }
    return true;
  }
}
