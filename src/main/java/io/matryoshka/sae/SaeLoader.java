package io.matryoshka.sae;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.matryoshka.sae.hub.EntryNotFoundException;
import io.matryoshka.sae.hub.HubClient;
import io.matryoshka.sae.hub.RepoFile;
import io.matryoshka.sae.kernel.EncoderRowsStore;
import io.matryoshka.sae.registry.ReleaseRegistry;
import io.matryoshka.sae.registry.SaeEntry;
import io.matryoshka.sae.registry.SaeLocation;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Joins registry, Hub and files: finds the three files of an SAE and opens them. */
final class SaeLoader {

  private static final Logger LOG = LoggerFactory.getLogger(SaeLoader.class);

  static final String CONFIG = "cfg.json";
  private static final String FOREIGN_CONFIG = "config.json";
  static final String WEIGHTS = "sae_weights.safetensors";
  static final String SPARSITY = "sparsity.safetensors";
  private static final String SPARSITY_TENSOR = "sparsity";

  private final LoadOptions options;
  private final Optional<SaeEntry> entry;

  private SaeLoader(LoadOptions options, Optional<SaeEntry> entry) {
    this.options = options;
    this.entry = entry;
  }

  static SAE fromPretrained(String release, String saeId, LoadOptions options) throws IOException {
    ReleaseRegistry registry = options.registry().orElseGet(ReleaseRegistry::bundled);
    if (!registry.contains(release) && release.contains("/")) {
      SaeLocation.Hub hub = new SaeLocation.Hub(release, saeId);
      return new SaeLoader(options, Optional.empty()).fromHub(hub);
    }
    SaeEntry entry = registry.find(release, saeId);
    SaeLoader loader = new SaeLoader(options, Optional.of(entry));
    SaeLocation location = entry.location();
    if (location instanceof SaeLocation.Hub hub) {
      return loader.fromHub(hub);
    }
    if (location instanceof SaeLocation.Bundled bundled) {
      Path folder = BundledFiles.folder(bundled, List.of(CONFIG, WEIGHTS, SPARSITY));
      return loader.open(folder.resolve(CONFIG), folder.resolve(WEIGHTS), sparsityIn(folder));
    }
    return loader.fromDirectory(((SaeLocation.Directory) location).path());
  }

  static SAE load(Path directory, LoadOptions options) throws IOException {
    return new SaeLoader(options, Optional.empty()).fromDirectory(directory);
  }

  private SAE fromDirectory(Path directory) throws IOException {
    if (!Files.exists(directory)) {
      throw new NoSuchFileException(
          directory.toString(), null, "expected a folder with " + CONFIG + " and " + WEIGHTS);
    }
    if (!Files.isDirectory(directory)) {
      throw new NotDirectoryException(
          directory + ": expected the folder that holds " + CONFIG + " and " + WEIGHTS);
    }
    for (String name : List.of(CONFIG, WEIGHTS)) {
      Path file = directory.resolve(name);
      if (!Files.isRegularFile(file) || !Files.isReadable(file)) {
        requireNotForeign(directory);
        throw new NoSuchFileException(
            file.toString(),
            null,
            "an SAE folder holds "
                + CONFIG
                + " and "
                + WEIGHTS
                + "; this one is missing or not readable");
      }
    }
    return open(directory.resolve(CONFIG), directory.resolve(WEIGHTS), sparsityIn(directory));
  }

  private static void requireNotForeign(Path directory) throws IOException {
    Set<String> names;
    try (Stream<Path> files = Files.list(directory)) {
      names = files.map(file -> file.getFileName().toString()).collect(Collectors.toSet());
    }
    Optional<ForeignFormat> foreign = ForeignFormat.ofFiles(names);
    if (foreign.isPresent()) {
      throw new SaeFormatException(directory + ": " + foreign.get().message());
    }
  }

  private static Optional<Path> sparsityIn(Path directory) {
    return Optional.of(directory.resolve(SPARSITY)).filter(Files::isRegularFile);
  }

  /** All files are of the commit that the revision names when the first is asked for. */
  private SAE fromHub(SaeLocation.Hub hub) throws IOException {
    HubClient client = client();
    RepoFile asked = file(hub, options.revision().orElse(hub.revision()), CONFIG);
    Path configFile = configFile(client, hub, asked);
    SaeConfig config = SaeConfig.read(configFile);
    int width = width(config);
    String commit = client.pinned(asked, configFile).revision();
    Optional<Path> sparsity = client.downloadIfPresent(file(hub, commit, SPARSITY));
    RepoFile weights = file(hub, commit, WEIGHTS);
    if (width < config.dSae() && client.findCached(weights).isEmpty()) {
      PartialDownload part =
          new PartialDownload(client, weights, configFile, config, CacheFolder.root());
      Optional<Path> folder = part.folder(width, options.forceDownload());
      if (folder.isPresent()) {
        SaeConfig stored = SaeConfig.read(folder.get().resolve(CONFIG));
        return open(config, stored, folder.get().resolve(WEIGHTS), sparsity);
      }
    }
    return open(config, config, client.download(weights), sparsity);
  }

  /** Where there is no cfg.json, names the program whose config.json is there instead. */
  private static Path configFile(HubClient client, SaeLocation.Hub hub, RepoFile asked)
      throws IOException {
    try {
      return client.download(asked);
    } catch (EntryNotFoundException e) {
      Optional<ForeignFormat> foreign = Optional.empty();
      Optional<Path> other = client.downloadIfPresent(file(hub, asked.revision(), FOREIGN_CONFIG));
      if (other.isPresent()) {
        foreign = ForeignFormat.ofConfig(new ObjectMapper().readTree(other.get().toFile()));
      } else if (hub.repoId().startsWith("google/gemma-scope")) {
        foreign = Optional.of(ForeignFormat.GEMMA_SCOPE);
      }
      if (foreign.isPresent()) {
        throw new SaeFormatException(
            hub.repoId() + " " + hub.path() + ": " + foreign.get().message(), e);
      }
      throw e;
    }
  }

  private static RepoFile file(SaeLocation.Hub hub, String revision, String name) {
    String path = hub.path().isEmpty() ? name : hub.path() + "/" + name;
    return new RepoFile(hub.repoId(), revision, path);
  }

  private HubClient client() {
    HubClient.Builder builder = HubClient.builder().forceDownload(options.forceDownload());
    options.offline().ifPresent(builder::offline);
    options.cacheDir().ifPresent(builder::cacheDir);
    options.token().ifPresent(builder::token);
    options.endpoint().ifPresent(builder::endpoint);
    options.progress().ifPresent(builder::progress);
    return builder.build();
  }

  private SAE open(Path configFile, Path weightFile, Optional<Path> sparsityFile)
      throws IOException {
    SaeConfig config = SaeConfig.read(configFile);
    return open(config, config, weightFile, sparsityFile);
  }

  /**
   * Opens the files.
   *
   * @param whole the configuration of the SAE
   * @param stored that of the weight file, which may hold a part of the latents
   */
  private SAE open(SaeConfig whole, SaeConfig stored, Path weightFile, Optional<Path> sparsityFile)
      throws IOException {
    SaeConfig config = withDtype(whole);
    width(config);
    SaeConfig ofFile = withDtype(stored);
    Optional<PreparedFile> before = preparedFile(weightFile, ofFile);
    WeightFile file = new WeightFile(weightFile, ofFile);
    SaeWeights weights;
    Optional<float[]> sparsity;
    try {
      sparsity = sparsityFile.isPresent() ? sparsity(sparsityFile.get(), config) : Optional.empty();
      // A file that was replaced while it was opened may not be the one that was looked at.
      boolean same = before.equals(preparedFile(weightFile, ofFile));
      Optional<EncoderRowsStore> store = same ? before.map(PreparedFile::store) : Optional.empty();
      weights = new SaeWeights(config, file, options, normScale(config), store);
    } catch (IOException | RuntimeException | Error e) {
      file.close();
      throw e;
    }
    try {
      return sae(config, weights, sparsity);
    } catch (RuntimeException e) {
      weights.close();
      throw e;
    }
  }

  private Optional<PreparedFile> preparedFile(Path weightFile, SaeConfig config) {
    return options.preparedCache() ? PreparedFile.of(weightFile, config) : Optional.empty();
  }

  private SAE sae(SaeConfig config, SaeWeights weights, Optional<float[]> sparsity) {
    int width = width(config);
    List<Integer> widths = Levels.below(widths(config), width).widths();
    return switch (config.architecture()) {
      case STANDARD -> new StandardSae(weights, width, widths, sparsity);
      case TOPK -> new TopKSae(weights, width, widths, sparsity);
      default -> new BatchTopKSae(weights, width, widths, sparsity);
    };
  }

  private int width(SaeConfig config) {
    int width = options.prefix().orElse(config.dSae());
    if (width > config.dSae()) {
      throw new IllegalArgumentException(
          "prefix width must lie in 1.." + config.dSae() + ", got " + width);
    }
    return width;
  }

  /** The registry's widths, else those of the file, else the caller's. */
  private List<Integer> widths(SaeConfig config) {
    if (entry.isPresent() && entry.get().dSae() == config.dSae()) {
      return entry.get().widths();
    }
    if (!config.matryoshkaWidths().isEmpty()) {
      return config.matryoshkaWidths();
    }
    int previous = 0;
    for (int width : options.widths()) {
      if (width <= previous || width > config.dSae()) {
        throw new IllegalArgumentException(
            "widths must rise from at least 1 to d_sae = "
                + config.dSae()
                + ", got "
                + options.widths());
      }
      previous = width;
    }
    return options.widths();
  }

  private double normScale(SaeConfig config) {
    if (config.normalizeActivations() != NormalizeActivations.EXPECTED_AVERAGE_ONLY_IN
        || entry.isEmpty()) {
      return 1;
    }
    if (entry.get().normScalingFactor().isEmpty()) {
      LOG.warn(
          "{} {}: cfg.json says expected_average_only_in but the registry has no"
              + " norm_scaling_factor; nothing is scaled, as in SAELens",
          entry.get().release(),
          entry.get().saeId());
    }
    return entry.get().normScalingFactor().orElse(1);
  }

  private SaeConfig withDtype(SaeConfig c) {
    return new SaeConfig(
        c.architecture(),
        c.dIn(),
        c.dSae(),
        options.dtype().orElse(c.dtype()),
        c.applyBDecToInput(),
        c.normalizeActivations(),
        c.reshapeHookZ(),
        c.k(),
        c.rescaleActsByDecoderNorm(),
        c.hookPoint(),
        c.modelName(),
        c.matryoshkaWidths(),
        c.metadata());
  }

  private static Optional<float[]> sparsity(Path path, SaeConfig config) throws IOException {
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      float[] values = file.readFloats(SPARSITY_TENSOR);
      if (values.length != config.dSae()) {
        throw new SaeFormatException(
            path
                + ": tensor sparsity must have d_sae = "
                + config.dSae()
                + " entries, got "
                + values.length);
      }
      return Optional.of(values);
    } catch (JsonProcessingException e) {
      throw new SaeFormatException(path + ": " + e.getOriginalMessage(), e);
    }
  }
}
