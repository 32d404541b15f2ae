package io.matryoshka.sae.cli;

import io.matryoshka.sae.hub.RepoFile;
import io.matryoshka.sae.registry.SaeLocation;
import java.util.Optional;

/**
 * The files of one SAE on the Hub.
 *
 * @param config its configuration
 * @param weights its weights
 * @param sparsity how often its latents fire; need not exist
 */
record SaeFiles(RepoFile config, RepoFile weights, RepoFile sparsity) {

  /** Names the files of a folder, at a revision other than the folder's own if one is given. */
  static SaeFiles of(SaeLocation.Hub hub, Optional<String> revision) {
    return new SaeFiles(
        file(hub, revision, "cfg.json"),
        file(hub, revision, "sae_weights.safetensors"),
        file(hub, revision, "sparsity.safetensors"));
  }

  private static RepoFile file(SaeLocation.Hub hub, Optional<String> revision, String name) {
    String path = hub.path().isEmpty() ? name : hub.path() + "/" + name;
    return new RepoFile(hub.repoId(), revision.orElse(hub.revision()), path);
  }
}
