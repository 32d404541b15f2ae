package io.matryoshka.sae;

import io.matryoshka.sae.hub.HubClient;
import io.matryoshka.sae.hub.RepoFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** Fetches only what a prefix needs. */
final class PartialDownload {

  private PartialDownload() {}

  static Optional<Path> fetch(HubClient client, RepoFile weights, SaeConfig config, int width)
      throws IOException {
    return Optional.empty();
  }
}
