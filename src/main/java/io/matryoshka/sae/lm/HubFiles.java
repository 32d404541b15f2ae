package io.matryoshka.sae.lm;

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
 * A model on the Hub. Shards are fetched to the cache that Python shares when a tensor of theirs is
 * first needed, all from the commit that the revision named when the model was opened.
 */
final class HubFiles implements ModelFiles {

  private final SaeLocation.Hub hub;
  private final HubClient client;
  private final String commit;
  private final Path config;
  private final Map<String, String> shards;

  private HubFiles(
      SaeLocation.Hub hub,
      HubClient client,
      String commit,
      Path config,
      Map<String, String> shards) {
    this.hub = hub;
    this.client = client;
    this.commit = commit;
    this.config = config;
    this.shards = Map.copyOf(shards);
  }

  static HubFiles open(SaeLocation.Hub hub, HubClient client, Optional<String> revision)
      throws IOException {
    RepoFile asked = file(hub, revision.orElse(hub.revision()), ShardIndex.CONFIG);
    Path config = client.download(asked);
    String commit = client.pinned(asked, config).revision();
    return new HubFiles(hub, client, commit, config, shards(hub, client, commit));
  }

  /** Reads the index; without one, there is one file. */
  private static Map<String, String> shards(SaeLocation.Hub hub, HubClient client, String commit)
      throws IOException {
    Optional<Path> index = client.downloadIfPresent(file(hub, commit, ShardIndex.FILE));
    if (index.isPresent()) {
      return ShardIndex.read(index.get());
    }
    Map<String, String> shards = new HashMap<>();
    Path single = client.download(file(hub, commit, ShardIndex.SINGLE_FILE));
    try (SafetensorsFile file = SafetensorsFile.open(single)) {
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
  public Path config() {
    return config;
  }

  @Override
  public Optional<Path> tokenizer() throws IOException {
    return client.downloadIfPresent(file(hub, commit, ShardIndex.TOKENIZER));
  }

  @Override
  public Set<String> tensors() {
    return shards.keySet();
  }

  @Override
  public Path fileOf(String tensor) throws IOException {
    return client.download(file(hub, commit, shards.get(tensor)));
  }

  @Override
  public boolean isLocal() {
    return false;
  }
}
