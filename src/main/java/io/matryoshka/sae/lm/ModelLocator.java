package io.matryoshka.sae.lm;

import io.matryoshka.sae.config.SaeConfig;
import io.matryoshka.sae.hub.HubClient;
import io.matryoshka.sae.hub.HubOptions;
import io.matryoshka.sae.internal.fetch.BundledFiles;
import io.matryoshka.sae.registry.Release;
import io.matryoshka.sae.registry.ReleaseRegistry;
import io.matryoshka.sae.registry.SaeLocation;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** Finds the files of a model by its name, or by the SAE that reads it. */
final class ModelLocator {

  private static final List<String> BUNDLED =
      List.of(ShardIndex.CONFIG, ShardIndex.SINGLE_FILE, ShardIndex.TOKENIZER);

  private final ReleaseRegistry registry;
  private final HubOptions hub;

  ModelLocator(LanguageModelOptions options) {
    this.registry = options.registry();
    this.hub = options.hub();
  }

  /** Finds the model whose activations an SAE reads. */
  ModelFiles of(SaeConfig sae) throws IOException {
    String name =
        sae.modelName()
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "the configuration of the SAE names no model; load the model by its name or"
                            + " folder"));
    return find(name);
  }

  /** Finds the model that a release names or brings. */
  ModelFiles ofRelease(String id) throws IOException {
    Release release = registry.release(id);
    Optional<SaeLocation> location = location(release);
    return location.isPresent() ? at(location.get()) : find(release.model());
  }

  private static Optional<SaeLocation> location(Release release) {
    return release.modelLocation().or(() -> release.modelRepo().map(ModelLocator::repository));
  }

  private static SaeLocation repository(String name) {
    return new SaeLocation.Hub(name, "");
  }

  /**
   * Finds a model by the name that a release gives it, or by its repository on the Hub. What tables
   * that were added later say of a name goes before what the library's own say.
   */
  ModelFiles find(String name) throws IOException {
    List<Release> known = registry.releases().stream().filter(one -> isOf(one, name)).toList();
    Optional<SaeLocation> location =
        known.stream().flatMap(one -> location(one).stream()).reduce((first, last) -> last);
    if (location.isPresent()) {
      return at(location.get());
    }
    if (!name.contains("/")) {
      throw new IllegalArgumentException(
          "model '%s' is not known; expected a folder, a repository such as google/gemma-2-2b, or one of %s"
              .formatted(name, names()));
    }
    return at(repository(name));
  }

  private static boolean isOf(Release release, String name) {
    return release.model().equals(name)
        || release.modelRepo().filter(repo -> repo.equals(name)).isPresent()
        || release.modelRepo().filter(repo -> repo.endsWith("/" + name)).isPresent();
  }

  private List<String> names() {
    return registry.releases().stream().map(Release::model).distinct().toList();
  }

  private ModelFiles at(SaeLocation location) throws IOException {
    if (location instanceof SaeLocation.Bundled bundled) {
      return LocalFiles.open(BundledFiles.folder(bundled, BUNDLED));
    }
    if (location instanceof SaeLocation.Directory directory) {
      return LocalFiles.open(directory.path());
    }
    return HubFiles.open((SaeLocation.Hub) location, HubClient.of(hub), hub.revision());
  }
}
