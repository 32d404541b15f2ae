package io.matryoshka.sae;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.matryoshka.sae.config.Architecture;
import io.matryoshka.sae.config.NormalizeActivations;
import io.matryoshka.sae.config.SaeConfig;
import io.matryoshka.sae.config.SaeFormatException;
import io.matryoshka.sae.internal.fetch.ActivationScale;
import io.matryoshka.sae.internal.fetch.SaeFiles;
import io.matryoshka.sae.internal.fetch.SaeLocator;
import io.matryoshka.sae.internal.format.SaeFormat;
import io.matryoshka.sae.internal.kernel.prepared.EncoderRowsStore;
import io.matryoshka.sae.internal.model.OpenSettings;
import io.matryoshka.sae.internal.model.Weights;
import io.matryoshka.sae.internal.weights.PreparedFile;
import io.matryoshka.sae.internal.weights.WeightFile;
import io.matryoshka.sae.registry.ReleaseRegistry;
import io.matryoshka.sae.registry.SaeEntry;
import io.matryoshka.sae.registry.SaeLocation;
import io.matryoshka.sae.safetensors.SafetensorsException;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Joins registry, files and engines: finds an SAE and opens it. */
final class SaeLoader {

  private static final Logger LOG = LoggerFactory.getLogger(SaeLoader.class);

  private static final String SPARSITY_TENSOR = "sparsity";

  private final LoadOptions options;
  private final Optional<SaeEntry> entry;

  private SaeLoader(LoadOptions options, Optional<SaeEntry> entry) {
    this.options = options;
    this.entry = entry;
  }

  static SAE fromPretrained(String release, String saeId, LoadOptions options) throws IOException {
    Optional<SaeEntry> entry = entry(release, saeId, options);
    return new SaeLoader(options, entry).from(location(entry, release, saeId));
  }

  static SaeConfig config(String release, String saeId, LoadOptions options) throws IOException {
    Optional<SaeEntry> entry = entry(release, saeId, options);
    SaeLoader loader = new SaeLoader(options, entry);
    return loader.withDtype(loader.locator().config(location(entry, release, saeId)));
  }

  /** The entry of the registry; none for a repository on the Hub that it does not know. */
  private static Optional<SaeEntry> entry(String release, String saeId, LoadOptions options) {
    ReleaseRegistry registry = options.registry().orElseGet(ReleaseRegistry::bundled);
    return !registry.contains(release) && release.contains("/")
        ? Optional.empty()
        : Optional.of(registry.find(release, saeId));
  }

  private static SaeLocation location(Optional<SaeEntry> entry, String release, String saeId) {
    return entry.isPresent() ? entry.get().location() : new SaeLocation.Hub(release, saeId);
  }

  static SAE load(Path directory, LoadOptions options) throws IOException {
    return new SaeLoader(options, Optional.empty()).open(SaeFiles.in(directory, options.dtype()));
  }

  private SAE from(SaeLocation location) throws IOException {
    SaeLocator locator = locator();
    try {
      return open(locator.locate(location));
    } catch (SafetensorsException | SaeFormatException e) {
      if (!locator.repair(location)) {
        throw location instanceof SaeLocation.Hub ? cached(e) : e;
      }
      LOG.warn(
          "{}; the cached file did not have the length of that on the Hub and was fetched again",
          e.getMessage());
      return open(locator.locate(location));
    }
  }

  private SaeLocator locator() {
    Optional<SaeFormat> format = entry.map(SaeEntry::format).map(SaeLoader::format);
    return new SaeLocator(options.hub(), options.prefix(), options.dtype(), format);
  }

  private static SaeFormat format(String key) {
    return SaeFormat.find(key)
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "the release table names the format '%s'; known are %s"
                        .formatted(
                            key, Arrays.stream(SaeFormat.values()).map(SaeFormat::key).toList())));
  }

  /** Says what to do with a file of the cache that cannot be read. */
  private static IOException cached(IOException e) {
    String message =
        e.getMessage()
            + "; if it is the copy in the Hub's cache that is damaged, 'cache verify' tells, and"
            + " --force-download (LoadOptions.forceDownload) fetches it again";
    return e instanceof SafetensorsException
        ? new SafetensorsException(message, e)
        : new SaeFormatException(message, e);
  }

  private SAE open(SaeFiles files) throws IOException {
    SaeConfig config = withDtype(files.config());
    Levels levels = levels(config);
    Optional<float[]> sparsity =
        files.sparsity().isPresent() ? sparsity(files.sparsity().get(), config) : Optional.empty();
    Weights weights = weights(files);
    SAE.Parts parts =
        new SAE.Parts(
            weights,
            weights.coder().prefix(levels.to(levels.count() - 1)),
            levels,
            sparsity,
            false);
    SAE sae = isBatchTopK(config) ? new BatchTopKSae(parts) : new SAE(parts);
    LOG.info("opened {} on {}: {}", sae, sae.device(), parts.coder().description());
    return sae;
  }

  private Weights weights(SaeFiles files) throws IOException {
    SaeConfig stored = withDtype(files.stored());
    Path path = files.weights();
    Optional<PreparedFile> before = preparedFile(path, stored);
    WeightFile file = new WeightFile(files.open(), stored, path);
    try {
      // A file that was replaced while it was opened may not be the one that was looked at.
      boolean same = before.equals(preparedFile(path, stored));
      Optional<EncoderRowsStore> store = same ? before.map(PreparedFile::store) : Optional.empty();
      return new Weights(withDtype(files.config()), file, settings(files, store));
    } catch (IOException | RuntimeException | Error e) {
      file.close();
      throw e;
    }
  }

  private OpenSettings settings(SaeFiles files, Optional<EncoderRowsStore> store)
      throws IOException {
    return new OpenSettings(
        options.device(),
        options.engine() == LoadOptions.Engine.FAST,
        options.acceleratorInt8From(),
        options.foldDecoderNorms(),
        normScale(files),
        store);
  }

  private Optional<PreparedFile> preparedFile(Path weightFile, SaeConfig config) {
    return options.preparedCache() ? PreparedFile.of(weightFile, config) : Optional.empty();
  }

  /** SAELens saves BatchTopK SAEs as JumpReLU; their Matryoshka widths tell. */
  private boolean isBatchTopK(SaeConfig config) {
    Architecture architecture = config.architecture();
    return architecture.hasThreshold()
        && (architecture != Architecture.JUMPRELU || widths(config).size() > 1);
  }

  private Levels levels(SaeConfig config) {
    return Levels.below(widths(config), config.prefixWidth(options.prefix()));
  }

  /** The registry's widths, else those of the file, else the caller's. */
  private List<Integer> widths(SaeConfig config) {
    if (entry.isPresent()
        && entry.get().dSae() == config.dSae()
        && entry.get().widths().size() > 1) {
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

  /** The caller's factor on activations, else the registry's, else that beside the weights. */
  private double normScale(SaeFiles files) throws IOException {
    if (files.config().normalizeActivations() != NormalizeActivations.EXPECTED_AVERAGE_ONLY_IN) {
      options
          .normScalingFactor()
          .ifPresent(
              factor ->
                  LOG.warn(
                      "{}: the scaling factor {} is not used, as the SAE was not trained on scaled"
                          + " activations (normalize_activations is {})",
                      files.weights(),
                      factor,
                      files.config().normalizeActivations().key()));
      return 1;
    }
    if (options.normScalingFactor().isPresent()) {
      return options.normScalingFactor().getAsDouble();
    }
    OptionalDouble ofRegistry =
        entry.map(SaeEntry::normScalingFactor).orElse(OptionalDouble.empty());
    if (ofRegistry.isPresent()) {
      return ofRegistry.getAsDouble();
    }
    if (files.scaler().isPresent()) {
      return ActivationScale.read(files.scaler().get());
    }
    LOG.warn(
        "{}: cfg.json says expected_average_only_in, but no scaling factor is known: no {} beside"
            + " the weights and no norm_scaling_factor in a release table; nothing is scaled, as in"
            + " SAELens. If the SAE was trained on scaled activations, give the factor"
            + " (--scaling-factor)",
        files.weights(),
        SaeFiles.SCALER);
    return 1;
  }

  private SaeConfig withDtype(SaeConfig config) {
    return config.withDtype(options.dtype().orElse(config.dtype()));
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
