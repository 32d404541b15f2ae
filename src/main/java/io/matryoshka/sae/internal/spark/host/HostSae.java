package io.matryoshka.sae.internal.spark.host;

import ai.djl.Device;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.matryoshka.sae.LoadOptions;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.internal.spark.store.FolderCopy;
import io.matryoshka.sae.internal.spark.store.HadoopPaths;
import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.stream.RunSettings;
import java.io.IOException;
import java.io.Serializable;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;

/**
 * An SAE by name, how it is loaded, and what it is on the driver: what travels to hosts, each of
 * which opens it. Immutable.
 */
public final class HostSae implements Serializable {

  private static final long serialVersionUID = 1;
  private static final ObjectMapper JSON = new ObjectMapper();

  private static final String RELEASE = "release";
  private static final String SAE_ID = "sae_id";
  private static final String FOLDER = "folder";
  private static final String PREFIX = "prefix";
  private static final String DTYPE = "dtype";
  private static final String DEVICE = "device";
  private static final String ENGINE = "engine";
  private static final String WIDTHS = "widths";
  private static final String SCALING_FACTOR = "scaling_factor";
  private static final String FOLD_DECODER_NORMS = "fold_decoder_norms";
  private static final String PREPARED_CACHE = "prepared_cache";

  /** What was given, in alphabetical order; a concrete type, as it is serialised. */
  private final TreeMap<String, String> settings;

  /** What the SAE is on the driver, as {@link RunSettings#describe(SAE)}; empty before. */
  private final String description;

  private HostSae(TreeMap<String, String> settings, String description) {
    this.settings = settings;
    this.description = description;
  }

  /** Names an SAE of a release or of a repository. */
  public static HostSae of(String release, String saeId) {
    return new HostSae(new TreeMap<>(), "").with(RELEASE, release).with(SAE_ID, saeId);
  }

  /** Names the folder of an SAE, by path or URI. */
  public static HostSae folder(String folder) {
    return new HostSae(new TreeMap<>(), "").with(FOLDER, folder);
  }

  /** Loads only a prefix. */
  public HostSae prefix(int width) {
    LoadOptions.defaults().prefix(width);
    return with(PREFIX, Integer.toString(width));
  }

  /** Sets the type that weights are rounded to. */
  public HostSae dtype(Dtype dtype) {
    LoadOptions.defaults().dtype(dtype);
    return with(DTYPE, dtype.name());
  }

  /** Sets the device of each host. */
  public HostSae device(Device device) {
    return with(DEVICE, device.getDeviceType() + ":" + device.getDeviceId());
  }

  /** Sets the implementation. */
  public HostSae engine(LoadOptions.Engine engine) {
    return with(ENGINE, engine.name());
  }

  /** Sets the Matryoshka widths. */
  public HostSae widths(List<Integer> widths) {
    return with(WIDTHS, widths.stream().map(String::valueOf).collect(Collectors.joining(",")));
  }

  /** Sets the factor on activations. */
  public HostSae scalingFactor(double factor) {
    LoadOptions.defaults().normScalingFactor(factor);
    return with(SCALING_FACTOR, Double.toString(factor));
  }

  /** Sets whether latents are multiplied by the norms of decoder rows. */
  public HostSae foldDecoderNorms(boolean fold) {
    return with(FOLD_DECODER_NORMS, Boolean.toString(fold));
  }

  /** Sets whether hosts keep a prepared encoder on their disks. */
  public HostSae preparedCache(boolean keep) {
    return with(PREPARED_CACHE, Boolean.toString(keep));
  }

  /** Sets what is said of the Hub. */
  public HostSae hub(HostHub hub) {
    return new HostSae(hub.addedTo(settings), "");
  }

  private HostSae with(String key, String value) {
    return new HostSae(Settings.with(settings, key, value), "");
  }

  private Optional<String> get(String key) {
    return Optional.ofNullable(settings.get(key));
  }

  /** Returns the name for people, such as for the index of a run. */
  public String name() {
    return get(FOLDER)
        .orElseGet(() -> (settings.get(RELEASE) + " " + settings.get(SAE_ID)).strip());
  }

  /**
   * Opens the SAE on the driver, and takes note of what it is, so that hosts can check theirs. A
   * path gets the file system that it is on.
   */
  public HostSae resolve(Configuration hadoop) throws IOException {
    HostSae full = this;
    if (get(FOLDER).isPresent()) {
      full = with(FOLDER, HadoopPaths.qualify(settings.get(FOLDER), hadoop).toString());
    }
    String found = RunSettings.describe(OpenSaes.get(full, hadoop)).toString();
    return new HostSae(full.settings, found);
  }

  /** Checks that an opened SAE is the one of the driver. */
  void requireSame(SAE sae) throws IOException {
    if (description.isEmpty()) {
      return;
    }
    JsonNode onDriver = JSON.readTree(description);
    JsonNode here = JSON.readTree(RunSettings.describe(sae).toString());
    Optional<String> difference = RunSettings.difference(onDriver, here);
    if (difference.isPresent()) {
      throw new JobFault(
          ("%s: the SAE of this host is not that of the driver: %s; give all hosts the same"
                  + " files, such as one folder that all of them see, or one revision of the Hub")
              .formatted(name(), difference.get()));
    }
  }

  /** Opens the SAE, with what the reference says alone. */
  SAE open(Configuration hadoop) throws IOException {
    if (get(FOLDER).isPresent()) {
      return SAE.load(FolderCopy.onThisHost(settings.get(FOLDER), hadoop), options());
    }
    return SAE.fromPretrained(settings.get(RELEASE), settings.get(SAE_ID), options());
  }

  private LoadOptions options() {
    LoadOptions options = LoadOptions.defaults().hub(HostHub.options(settings));
    options = set(options, PREFIX, Integer::valueOf, LoadOptions::prefix);
    options = set(options, DTYPE, Dtype::valueOf, LoadOptions::dtype);
    options = set(options, DEVICE, HostSae::device, LoadOptions::device);
    options = set(options, ENGINE, LoadOptions.Engine::valueOf, LoadOptions::engine);
    options = set(options, WIDTHS, HostSae::numbers, LoadOptions::widths);
    options = set(options, SCALING_FACTOR, Double::valueOf, LoadOptions::normScalingFactor);
    options = set(options, FOLD_DECODER_NORMS, Boolean::valueOf, LoadOptions::foldDecoderNorms);
    return set(options, PREPARED_CACHE, Boolean::valueOf, LoadOptions::preparedCache);
  }

  private <T> LoadOptions set(
      LoadOptions options,
      String key,
      Function<String, T> read,
      BiFunction<LoadOptions, T, LoadOptions> wither) {
    return get(key).map(text -> wither.apply(options, read.apply(text))).orElse(options);
  }

  private static Device device(String text) {
    String[] parts = text.split(":");
    return Device.of(parts[0], Integer.parseInt(parts[1]));
  }

  private static List<Integer> numbers(String text) {
    return text.isEmpty()
        ? List.of()
        : Arrays.stream(text.split(",")).map(Integer::valueOf).toList();
  }

  /** Equal references open the same SAE; what it is on the driver does not matter. */
  @Override
  public boolean equals(Object other) {
    return other instanceof HostSae sae && sae.settings.equals(settings);
  }

  @Override
  public int hashCode() {
    return settings.hashCode();
  }

  @Override
  public String toString() {
    return settings.toString();
  }
}
