package io.matryoshka.sae.internal.fetch;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.config.NormalizeActivations;
import io.matryoshka.sae.config.SaeConfig;
import io.matryoshka.sae.config.SaeFormatException;
import io.matryoshka.sae.hub.EntryNotFoundException;
import io.matryoshka.sae.hub.HubClient;
import io.matryoshka.sae.hub.RepoFile;
import io.matryoshka.sae.internal.filetype.ForeignFormat;
import io.matryoshka.sae.internal.filetype.JsonObjects;
import io.matryoshka.sae.internal.format.SaeFormat;
import io.matryoshka.sae.internal.format.SaePlace;
import io.matryoshka.sae.registry.SaeLocation;
import io.matryoshka.sae.safetensors.Dtype;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The folder of an SAE on the Hub at one commit, with its configuration fetched.
 *
 * @param hub the client
 * @param location the folder
 * @param revision the commit
 * @param format the format of its files
 * @param config the file with the configuration, if there is one
 */
record HubFolder(
    HubClient hub,
    SaeLocation.Hub location,
    String revision,
    SaeFormat format,
    Optional<Path> config) {

  /**
   * Finds out the format by the first file that is there, and the commit by it.
   *
   * @param known the format, where a release table names it
   */
  static HubFolder open(
      HubClient hub, SaeLocation.Hub location, Optional<String> asked, Optional<SaeFormat> known)
      throws IOException {
    String revision = asked.orElse(location.revision());
    if (known.isPresent() && !known.get().needsConfig()) {
      return withoutConfig(hub, location, revision, known.get());
    }
    RepoFile file = file(location, revision, SaeFormat.SAELENS.configFile());
    try {
      Path config = hub.download(file);
      SaeFormat format =
          ForeignFormat.ofConfig(JsonObjects.read(config, SaeFormatException::new))
                  .filter(ForeignFormat.SPARSIFY::equals)
                  .isPresent()
              ? SaeFormat.SPARSIFY
              : SaeFormat.SAELENS;
      String commit = hub.pinned(file, config).revision();
      return new HubFolder(hub, location, commit, format, Optional.of(config));
    } catch (EntryNotFoundException e) {
      return foreign(hub, location, revision, e);
    }
  }

  /** The folder of another program, by its config.json or else by its weights. */
  private static HubFolder foreign(
      HubClient hub, SaeLocation.Hub location, String revision, EntryNotFoundException notSaeLens)
      throws IOException {
    RepoFile file = file(location, revision, SaeFormat.DICTIONARY_LEARNING.configFile());
    Optional<Path> config = hub.downloadIfPresent(file);
    if (config.isPresent()) {
      String commit = hub.pinned(file, config.get()).revision();
      Optional<ForeignFormat> foreign =
          ForeignFormat.ofConfig(JsonObjects.read(config.get(), SaeFormatException::new));
      if (foreign.equals(Optional.of(ForeignFormat.DICTIONARY_LEARNING))) {
        return new HubFolder(hub, location, commit, SaeFormat.DICTIONARY_LEARNING, config);
      }
      if (foreign.equals(Optional.of(ForeignFormat.GEMMA_SCOPE))) {
        return new HubFolder(hub, location, commit, SaeFormat.GEMMA_SCOPE_2, config);
      }
      throw foreign.isPresent()
          ? new SaeFormatException(
              "%s %s: %s".formatted(location.repoId(), location.path(), foreign.get().message()),
              notSaeLens)
          : notSaeLens;
    }
    for (SaeFormat format :
        List.of(SaeFormat.GEMMA_SCOPE_2, SaeFormat.GEMMA_SCOPE_1, SaeFormat.DICTIONARY_LEARNING)) {
      if (exists(hub, file(location, revision, format.weightFile()))) {
        return new HubFolder(hub, location, revision, format, Optional.empty());
      }
    }
    throw notSaeLens;
  }

  private static boolean exists(HubClient hub, RepoFile file) throws IOException {
    if (hub.findCached(file).isPresent()) {
      return true;
    }
    if (hub.isOffline()) {
      return false;
    }
    try {
      hub.open(file);
      return true;
    } catch (EntryNotFoundException e) {
      return false;
    }
  }

  private static HubFolder withoutConfig(
      HubClient hub, SaeLocation.Hub location, String revision, SaeFormat format)
      throws IOException {
    RepoFile file = file(location, revision, format.configFile());
    Optional<Path> config = hub.downloadIfPresent(file);
    String commit = config.isPresent() ? hub.pinned(file, config.get()).revision() : revision;
    return new HubFolder(hub, location, commit, format, config);
  }

  /** What a format reads beside the weights. */
  SaePlace place(Optional<Dtype> dtype) throws IOException {
    Optional<Path> runner =
        format == SaeFormat.SAELENS && lacksWidths()
            ? hub.downloadIfPresent(file(location, revision, SaePlace.RUNNER))
            : Optional.empty();
    return new SaePlace(location.repoId() + "/" + location.path(), config, runner, dtype);
  }

  /** Settings of training are asked for only where they could tell something. */
  private boolean lacksWidths() throws IOException {
    ObjectNode json = JsonObjects.read(config.orElseThrow(), SaeFormatException::new);
    return json.findValue("matryoshka_widths") == null && json.toString().contains("matryoshka");
  }

  RepoFile weights() {
    return file(location, revision, format.weightFile());
  }

  /** The factor on activations that a checkpoint keeps, where the configuration asks for one. */
  Optional<Path> scaler(SaeConfig whole) throws IOException {
    return whole.normalizeActivations() == NormalizeActivations.EXPECTED_AVERAGE_ONLY_IN
        ? hub.downloadIfPresent(file(location, revision, SaeFiles.SCALER))
        : Optional.empty();
  }

  Optional<Path> sparsity() throws IOException {
    return format == SaeFormat.SAELENS
        ? hub.downloadIfPresent(file(location, revision, SaeFiles.SPARSITY))
        : Optional.empty();
  }

  /** What a part of the weights is made of. */
  PrefixSource source(SaeConfig whole) throws IOException {
    ObjectNode json =
        format == SaeFormat.SAELENS
            ? JsonObjects.read(config.orElseThrow(), SaeFormatException::new)
            : NativeConfig.json(whole);
    return new PrefixSource(format, whole, json);
  }

  static RepoFile file(SaeLocation.Hub hub, String revision, String name) {
    String path = hub.path().isEmpty() ? name : hub.path() + "/" + name;
    return new RepoFile(hub.repoId(), revision, path);
  }
}
