package io.matryoshka.sae.lm;

import io.matryoshka.sae.hub.EntryNotFoundException;
import io.matryoshka.sae.hub.HubClient;
import io.matryoshka.sae.hub.RepoFile;
import io.matryoshka.sae.registry.SaeLocation;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A model on the Hub, all of it from the commit that the revision named when the model was opened.
 * What is in the cache that Python shares is used; of the rest, each layer of a decoder is fetched
 * when it is first needed, and an encoder whole.
 */
final class HubFiles implements ModelFiles {

  private final SaeLocation.Hub hub;
  private final HubClient client;
  private final String commit;
  private final LanguageModelConfig config;
  private final Optional<LayerFiles> layers;
  private final Map<String, String> shards;

  private HubFiles(
      SaeLocation.Hub hub,
      HubClient client,
      String commit,
      LanguageModelConfig config,
      Optional<LayerFiles> layers,
      Map<String, String> shards) {
    this.hub = hub;
    this.client = client;
    this.commit = commit;
    this.config = config;
    this.layers = layers;
    this.shards = Map.copyOf(shards);
  }

  static HubFiles open(SaeLocation.Hub hub, HubClient client, Optional<String> revision)
      throws IOException {
    RepoFile asked = file(hub, revision.orElse(hub.revision()), ShardIndex.CONFIG);
    Path file = client.download(asked);
    String commit = client.pinned(asked, file).revision();
    LanguageModelConfig config = LanguageModelConfig.read(file);
    // What is read of an encoder is mostly its last layer, so all of it is needed.
    Optional<LayerFiles> layers =
        config.isEncoder()
            ? Optional.empty()
            : Optional.of(new LayerFiles(client, hub.repoId(), commit));
    Map<String, String> shards = shards(hub, client, commit, layers);
    return new HubFiles(hub, client, commit, config, layers, shards);
  }

  /** Reads the index; without one, there is one file. */
  private static Map<String, String> shards(
      SaeLocation.Hub hub, HubClient client, String commit, Optional<LayerFiles> layers)
      throws IOException {
    Optional<Path> index = client.downloadIfPresent(file(hub, commit, ShardIndex.FILE));
    if (index.isPresent()) {
      return ShardIndex.read(index.get());
    }
    RepoFile single = file(hub, commit, ShardIndex.SINGLE_FILE);
    Map<String, String> shards = new HashMap<>();
    if (layers.isPresent() && client.findCached(single).isEmpty()) {
      Optional<Set<String>> remote = layers.get().tensors(single);
      if (remote.isPresent()) {
        remote.get().forEach(tensor -> shards.put(tensor, ShardIndex.SINGLE_FILE));
        return shards;
      }
    }
    try (SafetensorsFile file = SafetensorsFile.open(client.download(single))) {
      file.names().forEach(tensor -> shards.put(tensor, ShardIndex.SINGLE_FILE));
    }
    return shards;
  }

  private static RepoFile file(SaeLocation.Hub hub, String revision, String name) {
    String path = hub.path().isEmpty() ? name : hub.path() + "/" + name;
    return new RepoFile(hub.repoId(), revision, path);
  }

  @Override
  public String name() {
    return hub.repoId();
  }

  @Override
  public LanguageModelConfig config() {
    return config;
  }

  @Override
  public Optional<Path> tokenizer() throws IOException {
    try {
      return Optional.of(client.download(file(hub, commit, ShardIndex.TOKENIZER)));
    } catch (EntryNotFoundException e) {
      return Optional.empty();
    }
  }

  @Override
  public Set<String> tensors() {
    return shards.keySet();
  }

  @Override
  public Path fileOf(String tensor) throws IOException {
    RepoFile shard = file(hub, commit, shards.get(tensor));
    Optional<Path> whole = client.findCached(shard);
    if (whole.isPresent()) {
      return whole.get();
    }
    Optional<Path> layer = layers.isPresent() ? layers.get().find(shard, tensor) : Optional.empty();
    return layer.isPresent() ? layer.get() : client.download(shard);
  }

  /** A commit names the content of all files. */
  @Override
  public String fingerprint() {
    return hub.repoId() + "@" + commit;
  }

  @Override
  public boolean isLocal() {
    return false;
  }
}
