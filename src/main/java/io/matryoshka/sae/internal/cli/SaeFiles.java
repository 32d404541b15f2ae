package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.hub.RepoFile;
import io.matryoshka.sae.internal.format.SaeFormat;
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
  static SaeFiles of(SaeLocation.Hub hub, Optional<String> revision, String formatKey) {
    SaeFormat format = SaeFormat.find(formatKey).orElse(SaeFormat.SAELENS);
    return new SaeFiles(
        file(hub, revision, format.configFile()),
        file(hub, revision, format.weightFile()),
        file(hub, revision, "sparsity.safetensors"));
  }

  private static RepoFile file(SaeLocation.Hub hub, Optional<String> revision, String name) {
    String path = hub.path().isEmpty() ? name : hub.path() + "/" + name;
    return new RepoFile(hub.repoId(), revision.orElse(hub.revision()), path);
  }
}
