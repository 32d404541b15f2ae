package io.matryoshka.sae.internal.fetch;

import io.matryoshka.sae.config.SaeConfig;
import io.matryoshka.sae.hub.HubClient;
import io.matryoshka.sae.hub.HubOptions;
import io.matryoshka.sae.hub.RemoteFile;
import io.matryoshka.sae.hub.RepoFile;
import io.matryoshka.sae.internal.format.SaeFormat;
import io.matryoshka.sae.internal.io.CacheFolder;
import io.matryoshka.sae.internal.io.FileBytes;
import io.matryoshka.sae.internal.weights.TensorFile;
import io.matryoshka.sae.registry.SaeLocation;
import io.matryoshka.sae.safetensors.Dtype;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Brings the files of an SAE to disk without opening it: from the Hub, out of the jar or from a
 * folder.
 *
 * @param options how files are fetched from the Hub
 * @param prefix number of leading latents that are enough, where fetching no more saves much
 * @param dtype the type of the tensors in place of what the configuration says
 * @param format the format that a release table names; without one, the files tell
 */
public record SaeLocator(
    HubOptions options, OptionalInt prefix, Optional<Dtype> dtype, Optional<SaeFormat> format) {

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

  /**
   * Reads the configuration of an SAE. Of weights on the Hub no more than the header is fetched,
   * and that only where the configuration needs it.
   *
   * @param location where the SAE is
   * @return the configuration of the whole SAE
   * @throws IOException if files cannot be fetched or read, or the configuration is malformed
   */
  public SaeConfig config(SaeLocation location) throws IOException {
    if (!(location instanceof SaeLocation.Hub onHub)) {
      return locate(location).config();
    }
    HubClient hub = HubClient.of(options);
    HubFolder folder = HubFolder.open(hub, onHub, options.revision(), format);
    boolean partial = hub.findCached(folder.weights()).isEmpty();
    return config(hub, folder, partial);
  }

  private SaeConfig config(HubClient hub, HubFolder folder, boolean partial) throws IOException {
    return folder
        .format()
        .config(folder.place(dtype), () -> openRaw(hub, folder, folder.weights(), partial));
  }

  /** All files are of the commit that the revision names when the first is asked for. */
  private SaeFiles fromHub(SaeLocation.Hub location) throws IOException {
    HubClient hub = HubClient.of(options);
    HubFolder folder = HubFolder.open(hub, location, options.revision(), format);
    RepoFile weights = folder.weights();
    boolean cached = hub.findCached(weights).isPresent();
    boolean partial = prefix.isPresent() && !cached;
    SaeConfig config = config(hub, folder, partial);
    int width = config.prefixWidth(prefix);
    Optional<Path> sparsity = folder.sparsity();
    Optional<Path> scaler = folder.scaler(config);
    if (width < config.dSae() && !cached) {
      PrefixDownload download =
          new PrefixDownload(hub, weights, folder.source(config), CacheFolder.root());
      Optional<Path> part = download.folder(width, options.forceDownload());
      if (part.isPresent()) {
        SaeFiles files = SaeFiles.in(part.get(), dtype);
        return new SaeFiles(
            config, files.config(), files.weights(), sparsity, scaler, files.format());
      }
    }
    return new SaeFiles(config, config, hub.download(weights), sparsity, scaler, folder.format());
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
      for (SaeFormat known : SaeFormat.values()) {
        for (String name : List.of(known.configFile(), known.weightFile(), SaeFiles.SPARSITY)) {
          repaired |= repair(hub, folder, name);
        }
      }
    }
    return repaired;
  }

  private boolean repair(HubClient hub, SaeLocation.Hub folder, String name) throws IOException {
    RepoFile file = HubFolder.file(folder, options.revision().orElse(folder.revision()), name);
    Optional<Path> cached = hub.findCached(file);
    if (cached.isEmpty()) {
      return false;
    }
    long size = Files.size(cached.get());
    return Files.size(hub.refresh(file)) != size;
  }

  /** Where a part is enough, only the start of the file is read; else the file is fetched. */
  private static TensorFile openRaw(
      HubClient hub, HubFolder folder, RepoFile weights, boolean partial) throws IOException {
    if (partial && !hub.isOffline()) {
      RemoteFile remote = hub.open(weights);
      if (remote.size().isPresent()) {
        return folder.format().openRaw(new RemoteBytes(remote));
      }
    }
    return folder.format().openRaw(FileBytes.open(hub.download(weights)));
  }
}
