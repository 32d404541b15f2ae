package io.matryoshka.sae.fetch;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.matryoshka.sae.config.ForeignFormat;
import io.matryoshka.sae.config.NormalizeActivations;
import io.matryoshka.sae.config.SaeConfig;
import io.matryoshka.sae.config.SaeFormatException;
import io.matryoshka.sae.hub.EntryNotFoundException;
import io.matryoshka.sae.hub.HubClient;
import io.matryoshka.sae.hub.HubOptions;
import io.matryoshka.sae.hub.RepoFile;
import io.matryoshka.sae.io.CacheFolder;
import io.matryoshka.sae.registry.SaeLocation;
import io.matryoshka.sae.safetensors.Dtype;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Brings the files of an SAE to disk without opening it: from the Hub, out of the jar or from a
 * folder.
 *
 * @param options how files are fetched from the Hub
 * @param prefix number of leading latents that are enough, where fetching no more saves much
 * @param dtype the type of the tensors in place of what the configuration says
 */
public record SaeLocator(HubOptions options, OptionalInt prefix, Optional<Dtype> dtype) {

  private static final String FOREIGN_CONFIG = "config.json";

  /**
   * Brings the files of an SAE to disk.
   *
   * @param location where the SAE is
   * @return its files
   * @throws IOException if files cannot be fetched or read, or the configuration is malformed
   */
  public SaeFiles locate(SaeLocation location) throws IOException {
    if (location instanceof SaeLocation.Hub hub) {
      return fromHub(hub);
    }
    if (location instanceof SaeLocation.Bundled bundled) {
      return SaeFiles.in(BundledFiles.folder(bundled, SaeFiles.ALL), dtype);
    }
    return SaeFiles.in(((SaeLocation.Directory) location).path(), dtype);
  }

  /** All files are of the commit that the revision names when the first is asked for. */
  private SaeFiles fromHub(SaeLocation.Hub location) throws IOException {
    HubClient hub = HubClient.of(options);
    RepoFile asked =
        file(location, options.revision().orElse(location.revision()), SaeFiles.CONFIG);
    Path configFile = configFile(hub, location, asked);
    SaeConfig config = SaeConfig.read(configFile, dtype);
    int width = config.prefixWidth(prefix);
    String commit = hub.pinned(asked, configFile).revision();
    Optional<Path> sparsity = hub.downloadIfPresent(file(location, commit, SaeFiles.SPARSITY));
    Optional<Path> scaler =
        config.normalizeActivations() == NormalizeActivations.EXPECTED_AVERAGE_ONLY_IN
            ? hub.downloadIfPresent(file(location, commit, SaeFiles.SCALER))
            : Optional.empty();
    RepoFile weights = file(location, commit, SaeFiles.WEIGHTS);
    if (width < config.dSae() && hub.findCached(weights).isEmpty()) {
      PrefixDownload download =
          new PrefixDownload(hub, weights, configFile, config, CacheFolder.root());
      Optional<Path> folder = download.folder(width, options.forceDownload());
      if (folder.isPresent()) {
        SaeFiles part = SaeFiles.in(folder.get(), dtype);
        return new SaeFiles(config, part.config(), part.weights(), sparsity, scaler);
      }
    }
    return new SaeFiles(config, config, hub.download(weights), sparsity, scaler);
  }

  /**
   * Compares the cached files of an SAE on the Hub with the lengths that the Hub tells, and fetches
   * those again that differ: another tool may have left a part of one in the cache.
   *
   * @param location where the SAE is
   * @return whether a file was fetched again
   * @throws IOException if files cannot be fetched
   */
  public boolean repair(SaeLocation location) throws IOException {
    boolean repaired = false;
    if (location instanceof SaeLocation.Hub folder) {
      HubClient hub = HubClient.of(options.forceDownload(false));
      for (String name : SaeFiles.ALL) {
        RepoFile file = file(folder, options.revision().orElse(folder.revision()), name);
        Optional<Path> cached = hub.findCached(file);
        if (cached.isPresent()) {
          long size = Files.size(cached.get());
          repaired |= Files.size(hub.refresh(file)) != size;
        }
      }
    }
    return repaired;
  }

  /** Where there is no cfg.json, names the program whose config.json is there instead. */
  private static Path configFile(HubClient hub, SaeLocation.Hub location, RepoFile asked)
      throws IOException {
    try {
      return hub.download(asked);
    } catch (EntryNotFoundException e) {
      Optional<ForeignFormat> foreign = Optional.empty();
      Optional<Path> other =
          hub.downloadIfPresent(file(location, asked.revision(), FOREIGN_CONFIG));
      if (other.isPresent()) {
        foreign = ForeignFormat.ofConfig(new ObjectMapper().readTree(other.get().toFile()));
      } else if (location.repoId().startsWith("google/gemma-scope")) {
        foreign = Optional.of(ForeignFormat.GEMMA_SCOPE);
      }
      if (foreign.isPresent()) {
        throw new SaeFormatException(
            "%s %s: %s".formatted(location.repoId(), location.path(), foreign.get().message()), e);
      }
      throw e;
    }
  }

  private static RepoFile file(SaeLocation.Hub hub, String revision, String name) {
    String path = hub.path().isEmpty() ? name : hub.path() + "/" + name;
    return new RepoFile(hub.repoId(), revision, path);
  }
}
