package io.matryoshka.sae.spark;

import ai.djl.Device;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.matryoshka.sae.LoadOptions;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.stream.RunSettings;
import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;

/**
 * Names an SAE and how it is loaded, so that every host of a cluster can open it. Immutable and
 * serialisable; each method returns a changed copy. Weights do not travel with it.
 *
 * <pre>{@code
 * SaeRef ref = SaeRef.of("gemma-2-2b-res-matryoshka-dc", "blocks.12.hook_resid_post").prefix(2048);
 * SaeRef own = SaeRef.folder("s3a://bucket/my-sae");
 * }</pre>
 *
 * <p>Which latents are kept of those that fire belongs to the run or the transformer, as on one
 * machine ({@link io.matryoshka.sae.Selection}).
 */
public final class SaeRef implements Serializable {

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
  private static final String REVISION = "revision";
  private static final String OFFLINE = "offline";
  private static final String CACHE_DIR = "cache_dir";

  /** What was given, in alphabetical order; a concrete type, as it is serialised. */
  private final TreeMap<String, String> settings;

  /** What the SAE is on the driver, as {@link RunSettings#describe(SAE)}; empty before. */
  private final String description;

  private SaeRef(TreeMap<String, String> settings, String description) {
    this.settings = settings;
    this.description = description;
  }

  /**
   * Names an SAE of a release, or a folder of a repository on the Hugging Face Hub. Each host
   * fetches it to its own cache.
   *
   * @param release a release, or {@code owner/repo}
   * @param saeId an SAE of it, or the folder in the repository
   * @return the reference
   */
  public static SaeRef of(String release, String saeId) {
    Objects.requireNonNull(release, RELEASE);
    Objects.requireNonNull(saeId, SAE_ID);
    return new SaeRef(new TreeMap<>(), "").with(RELEASE, release).with(SAE_ID, saeId);
  }

  /**
   * Names the folder of an SAE, in any format that is read. A folder that is not on a disk of the
   * host is copied there once.
   *
   * @param folder a path, or the URI of a folder on any file system that Hadoop knows
   * @return the reference
   */
  public static SaeRef folder(String folder) {
    Objects.requireNonNull(folder, FOLDER);
    return new SaeRef(new TreeMap<>(), "").with(FOLDER, folder);
  }

  /**
   * Reads the text form.
   *
   * @param text {@code release:sae_id}; or a path with a {@code /} at its start or a URI, for a
   *     folder
   * @return the reference
   * @throws IllegalArgumentException if it is neither
   */
  public static SaeRef parse(String text) {
    if (text.startsWith("/") || text.matches("[A-Za-z][A-Za-z0-9+.-]*:/.*")) {
      return folder(text);
    }
    int colon = text.indexOf(':');
    if (colon < 1) {
      throw new IllegalArgumentException(
          "an SAE is named by RELEASE:SAE_ID, or by the path or URI of its folder, got '%s'"
              .formatted(text));
    }
    return of(text.substring(0, colon), text.substring(colon + 1));
  }

  /**
   * Loads only a prefix.
   *
   * @param width number of leading latents, at least 1
   * @return changed reference
   * @throws IllegalArgumentException if the width is below 1
   */
  public SaeRef prefix(int width) {
    LoadOptions.defaults().prefix(width);
    return with(PREFIX, Integer.toString(width));
  }

  /**
   * Sets the type that weights are rounded to.
   *
   * @param dtype F32, F64, F16 or BF16
   * @return changed reference
   * @throws IllegalArgumentException for any other type
   */
  public SaeRef dtype(Dtype dtype) {
    LoadOptions.defaults().dtype(dtype);
    return with(DTYPE, dtype.name());
  }

  /**
   * Sets the device that each host computes on. Hosts give the same bits only if they compute
   * alike.
   *
   * @param device such as {@code Device.cpu()}, the default
   * @return changed reference
   */
  public SaeRef device(Device device) {
    return with(DEVICE, device.getDeviceType() + ":" + device.getDeviceId());
  }

  /**
   * Sets the implementation.
   *
   * @param engine fast, the default, or reference
   * @return changed reference
   */
  public SaeRef engine(LoadOptions.Engine engine) {
    return with(ENGINE, engine.name());
  }

  /**
   * Sets the Matryoshka widths of an SAE whose files do not tell them.
   *
   * @param widths rising prefix widths
   * @return changed reference
   */
  public SaeRef widths(List<Integer> widths) {
    return with(WIDTHS, widths.stream().map(String::valueOf).collect(Collectors.joining(",")));
  }

  /**
   * Sets the factor on model activations, as {@link LoadOptions#normScalingFactor}.
   *
   * @param factor a positive number that float32 can hold
   * @return changed reference
   * @throws IllegalArgumentException if it is none
   */
  public SaeRef scalingFactor(double factor) {
    LoadOptions.defaults().normScalingFactor(factor);
    return with(SCALING_FACTOR, Double.toString(factor));
  }

  /**
   * Sets whether latents are multiplied by the norms of the decoder rows, as {@link
   * LoadOptions#foldDecoderNorms}.
   *
   * @param fold false, the default, to leave latents as they are
   * @return changed reference
   */
  public SaeRef foldDecoderNorms(boolean fold) {
    return with(FOLD_DECODER_NORMS, Boolean.toString(fold));
  }

  /**
   * Sets the branch, tag or commit on the Hub. A commit, unlike a branch, is the same for hosts
   * that fetch at different times.
   *
   * @param revision such as {@code main}
   * @return changed reference
   */
  public SaeRef revision(String revision) {
    return with(REVISION, revision);
  }

  /**
   * Sets whether hosts use only what is in their caches.
   *
   * @param offline true to send no request
   * @return changed reference
   */
  public SaeRef offline(boolean offline) {
    return with(OFFLINE, Boolean.toString(offline));
  }

  /**
   * Sets the folder of the Hub's cache, the same path on every host.
   *
   * @param folder an absolute path
   * @return changed reference
   */
  public SaeRef cacheDir(String folder) {
    return with(CACHE_DIR, folder);
  }

  private SaeRef with(String key, String value) {
    Objects.requireNonNull(value, key);
    TreeMap<String, String> changed = new TreeMap<>(settings);
    changed.put(key, value);
    return new SaeRef(changed, "");
  }

  private Optional<String> get(String key) {
    return Optional.ofNullable(settings.get(key));
  }

  /** Returns the name for people, such as for the index of a run. */
  String name() {
    return get(FOLDER)
        .orElseGet(() -> (settings.get(RELEASE) + " " + settings.get(SAE_ID)).strip());
  }

  /**
   * Opens the SAE on the driver, and takes note of what it is, so that hosts can check theirs. A
   * path gets the file system that it is on.
   */
  SaeRef resolve(Configuration hadoop) throws IOException {
    SaeRef full = this;
    if (get(FOLDER).isPresent()) {
      full = with(FOLDER, HadoopPaths.qualify(settings.get(FOLDER), hadoop).toString());
    }
    String found = RunSettings.describe(OpenSaes.get(full, hadoop)).toString();
    return new SaeRef(full.settings, found);
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
      throw new SparkJobException(
          ("%s: the SAE of this host is not that of the driver: %s; give all hosts the same"
                  + " files, such as one folder that all of them see, or one revision of the Hub")
              .formatted(name(), difference.get()));
    }
  }

  /** Opens the SAE, with what the reference says alone. */
  SAE open(Configuration hadoop) throws IOException {
    LoadOptions options = options();
    if (get(FOLDER).isPresent()) {
      return SAE.load(FolderCopy.onThisHost(settings.get(FOLDER), hadoop), options);
    }
    return SAE.fromPretrained(settings.get(RELEASE), settings.get(SAE_ID), options);
  }

  private LoadOptions options() {
    LoadOptions options = LoadOptions.defaults();
    options = get(PREFIX).map(Integer::valueOf).map(options::prefix).orElse(options);
    options = get(DTYPE).map(Dtype::valueOf).map(options::dtype).orElse(options);
    options = get(DEVICE).map(SaeRef::device).map(options::device).orElse(options);
    options = get(ENGINE).map(LoadOptions.Engine::valueOf).map(options::engine).orElse(options);
    options = get(WIDTHS).map(SaeRef::numbers).map(options::widths).orElse(options);
    options =
        get(SCALING_FACTOR).map(Double::valueOf).map(options::normScalingFactor).orElse(options);
    options =
        get(FOLD_DECODER_NORMS)
            .map(Boolean::valueOf)
            .map(options::foldDecoderNorms)
            .orElse(options);
    options = get(REVISION).map(options::revision).orElse(options);
    options = get(OFFLINE).map(Boolean::valueOf).map(options::offline).orElse(options);
    return get(CACHE_DIR).map(Path::of).map(options::cacheDir).orElse(options);
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
    return other instanceof SaeRef ref && ref.settings.equals(settings);
  }

  @Override
  public int hashCode() {
    return settings.hashCode();
  }

  @Override
  public String toString() {
    return "SaeRef" + settings;
  }
}
