package io.matryoshka.sae.lm;

import io.matryoshka.sae.hub.ByteRange;
import io.matryoshka.sae.hub.HubClient;
import io.matryoshka.sae.hub.RangesUnsupportedException;
import io.matryoshka.sae.hub.RemoteFile;
import io.matryoshka.sae.hub.RepoFile;
import io.matryoshka.sae.internal.fetch.RemoteHeader;
import io.matryoshka.sae.internal.io.AtomicFile;
import io.matryoshka.sae.internal.io.CacheFolder;
import io.matryoshka.sae.safetensors.SafetensorsHeader;
import io.matryoshka.sae.safetensors.SafetensorsWriter;
import io.matryoshka.sae.safetensors.TensorInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Layers of a model on the Hub, each fetched by its bytes when it is first needed and kept as a
 * safetensors file of its own, {@code <cache>/models/models--owner--name/<commit>/<shard>/<layer>}.
 * A file appears when it is whole, so what was broken off is fetched again from the layer on.
 */
final class LayerFiles {

  /** A shard up to this size is fetched whole: Python can then use it too. */
  private static final long SMALL_BYTES = 4L << 20;

  /** The names of a shard's tensors, one a line, so that it can be used offline. */
  private static final String NAMES = "tensors.txt";

  private static final int CONNECTIONS = 16;
  private static final long RANGE_BYTES = 8L << 20;
  private static final Pattern LAYER = Pattern.compile(".*\\.layers\\.\\d+(?=\\.)");

  private final HubClient client;
  private final Path folder;
  private final Map<String, SafetensorsHeader> headers = new HashMap<>();

  LayerFiles(HubClient client, String repository, String commit) {
    this.client = client;
    this.folder =
        CacheFolder.root()
            .resolve("models")
            .resolve("models--" + repository.replace("/", "--"))
            .resolve(commit);
  }

  /** The tensors of a file; empty where it should be fetched whole. */
  Optional<Set<String>> tensors(RepoFile shard) throws IOException {
    Path list = folder.resolve(shard.filename()).resolve(NAMES);
    if (Files.isRegularFile(list)) {
      return Optional.of(Set.copyOf(Files.readAllLines(list)));
    }
    if (client.isOffline()) {
      return Optional.empty();
    }
    try {
      Optional<SafetensorsHeader> header = header(shard, client.open(shard));
      if (header.isPresent()) {
        Files.createDirectories(list.getParent());
        AtomicFile.write(list, String.join("\n", header.get().names()));
      }
      return header.map(SafetensorsHeader::names);
    } catch (RangesUnsupportedException e) {
      return Optional.empty();
    }
  }

  /** Finds or fetches the file with the layer of a tensor; empty where all should be fetched. */
  Optional<Path> find(RepoFile shard, String tensor) throws IOException {
    Matcher layer = LAYER.matcher(tensor);
    String group = layer.lookingAt() ? layer.group() : tensor;
    Path file = folder.resolve(shard.filename()).resolve(group + ".safetensors");
    if (Files.isRegularFile(file)) {
      return Optional.of(file);
    }
    if (client.isOffline()) {
      return Optional.empty();
    }
    try {
      RemoteFile remote = client.open(shard);
      Optional<SafetensorsHeader> header = header(shard, remote);
      if (header.isEmpty()) {
        return Optional.empty();
      }
      Files.createDirectories(file.getParent());
      fetch(remote, header.get(), group, file);
      return Optional.of(file);
    } catch (RangesUnsupportedException e) {
      return Optional.empty();
    }
  }

  private synchronized Optional<SafetensorsHeader> header(RepoFile shard, RemoteFile remote)
      throws IOException {
    if (remote.size().orElse(0) <= SMALL_BYTES) {
      return Optional.empty();
    }
    SafetensorsHeader header = headers.get(shard.filename());
    if (header == null) {
      header = RemoteHeader.read(remote);
      headers.put(shard.filename(), header);
    }
    return Optional.of(header);
  }

  private static void fetch(RemoteFile remote, SafetensorsHeader header, String group, Path file)
      throws IOException {
    List<TensorInfo> wanted =
        header.tensors().stream()
            .filter(t -> t.name().equals(group) || t.name().startsWith(group + "."))
            .toList();
    SafetensorsWriter.Builder builder = SafetensorsWriter.builder();
    wanted.forEach(info -> builder.tensor(info.name(), info.dtype(), info.shape()));
    List<ByteRange> ranges = new ArrayList<>();
    List<String> names = new ArrayList<>();
    for (TensorInfo info : wanted) {
      for (long at = info.begin(); at < info.end(); at += RANGE_BYTES) {
        int length = (int) Math.min(RANGE_BYTES, info.end() - at);
        ranges.add(new ByteRange(header.dataOffset() + at, length));
        names.add(info.name());
      }
    }
    try (SafetensorsWriter writer = builder.create(file)) {
      Iterator<String> name = names.iterator();
      remote.read(ranges, CONNECTIONS, (range, data) -> writer.write(name.next(), data));
      writer.finish();
    }
  }
}
