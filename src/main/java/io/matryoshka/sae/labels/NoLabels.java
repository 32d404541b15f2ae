package io.matryoshka.sae.labels;

import java.util.Optional;

/** No labels. */
final class NoLabels implements Labels {

  @Override
  public Optional<Label> find(int latent) {
    return Optional.empty();
  }

  @Override
  public String source() {
    return "none";
  }

  @Override
  public void close() {}
}
