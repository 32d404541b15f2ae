package io.matryoshka.sae.lm;

import io.matryoshka.sae.safetensors.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** A folder with {@code config.json} and one safetensors file, or shards with an index. */
final class LocalFiles implements ModelFiles {

  private final Path folder;
  private final Map<String, Path> files;

  private LocalFiles(Path folder, Map<String, Path> files) {
    this.folder = folder;
    this.files = Map.copyOf(files);
  }

  static LocalFiles open(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      throw new NoSuchFileException(
          folder.toString(), null, "expected a folder with config.json and model.safetensors");
    }
    if (!Files.isDirectory(folder)) {
      throw new NotDirectoryException(
          folder + ": expected the folder that holds config.json and model.safetensors");
    }
    Map<String, Path> files = new HashMap<>();
    Path index = folder.resolve(ShardIndex.FILE);
    if (Files.isRegularFile(index)) {
      ShardIndex.read(index).forEach((tensor, shard) -> files.put(tensor, folder.resolve(shard)));
      requireAll(files, index);
    } else {
      Path single = folder.resolve(ShardIndex.SINGLE_FILE);
      require(
          single, "a model folder holds " + ShardIndex.SINGLE_FILE + " or shards with an index");
      try (SafetensorsFile file = SafetensorsFile.open(single)) {
        file.names().forEach(tensor -> files.put(tensor, single));
      }
    }
    return new LocalFiles(folder, files);
  }

  private static void requireAll(Map<String, Path> files, Path index) throws IOException {
    for (Path shard : Set.copyOf(files.values())) {
      require(shard, "it is named in " + index.getFileName());
    }
  }

  private static void require(Path file, String reason) throws NoSuchFileException {
    if (!Files.isRegularFile(file)) {
      throw new NoSuchFileException(file.toString(), null, "this file is missing; " + reason);
    }
  }

  @Override
  public String name() {
    return folder.toString();
  }

  @Override
  public LanguageModelConfig config() throws IOException {
    return LanguageModelConfig.read(folder.resolve(ShardIndex.CONFIG));
  }

  @Override
  public Optional<Path> tokenizer() {
    return Optional.of(folder.resolve(ShardIndex.TOKENIZER)).filter(Files::isRegularFile);
  }

  @Override
  public Set<String> tensors() {
    return files.keySet();
  }

  @Override
  public Path fileOf(String tensor) {
    return files.get(tensor);
  }

  @Override
  public String fingerprint() throws IOException {
    Set<Path> all = new TreeSet<>(files.values());
    all.add(folder.resolve(ShardIndex.CONFIG));
    return SampledHash.of(all);
  }

  @Override
  public boolean isLocal() {
    return true;
  }
}
