package io.matryoshka.sae;

import ai.djl.Device;
import io.matryoshka.sae.hub.HubOptions;
import io.matryoshka.sae.hub.ProgressListener;
import io.matryoshka.sae.registry.ReleaseRegistry;
import io.matryoshka.sae.safetensors.Dtype;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * How an SAE is found and loaded. Immutable; each method returns a changed copy.
 *
 * <pre>{@code
 * LoadOptions options = LoadOptions.defaults().device(Device.gpu()).prefix(2048);
 * }</pre>
 */
public final class LoadOptions {

  /** Which implementation encodes and decodes. */
  public enum Engine {
    /** Screening, then exact values for the survivors; sparse decode. The default. */
    FAST,
    /**
     * Dense products through the engine's own operations: slow, plain, and the reference that FAST
     * is tested against.
     */
    REFERENCE
  }

  private static final LoadOptions DEFAULTS = new LoadOptions(new Values());

  private final Values values;

  private LoadOptions(Values values) {
    this.values = values;
  }

  /**
   * Returns the defaults: CPU, the dtype of {@code cfg.json}, the fast engine, the environment's
   * Hub settings, prepared data cached on disk.
   *
   * @return the defaults
   */
  public static LoadOptions defaults() {
    return DEFAULTS;
  }

  /**
   * Sets the device that holds the weights and computes.
   *
   * @param device such as {@code Device.cpu()}, the default, or {@code Device.gpu()}
   * @return changed options
   */
  public LoadOptions device(Device device) {
    Objects.requireNonNull(device, "device");
    return with(v -> v.device = device);
  }

  /**
   * Sets the type that weights are rounded to, instead of that of {@code cfg.json}.
   *
   * @param dtype F32, F64, F16 or BF16; arithmetic is in float32 for all but F64
   * @return changed options
   * @throws IllegalArgumentException for any other type
   */
  public LoadOptions dtype(Dtype dtype) {
    Objects.requireNonNull(dtype, "dtype");
    if (!List.of(Dtype.F32, Dtype.F64, Dtype.F16, Dtype.BF16).contains(dtype)) {
      throw new IllegalArgumentException("dtype must be F32, F64, F16 or BF16, got " + dtype);
    }
    return with(v -> v.dtype = dtype);
  }

  /**
   * Sets the implementation.
   *
   * @param engine fast or reference
   * @return changed options
   */
  public LoadOptions engine(Engine engine) {
    Objects.requireNonNull(engine, "engine");
    return with(v -> v.engine = engine);
  }

  /**
   * Loads only what a prefix needs and returns the prefix view. Of an SAE that is not in the Hub
   * cache only the bytes of the prefix are fetched, where that saves much; docs/data-formats.md
   * says when, and where they are kept.
   *
   * @param prefixWidth number of leading latents, at least 1
   * @return changed options
   * @throws IllegalArgumentException if the width is below 1
   */
  public LoadOptions prefix(int prefixWidth) {
    if (prefixWidth < 1) {
      throw new IllegalArgumentException("prefix width must be at least 1, got " + prefixWidth);
    }
    return with(v -> v.prefix = prefixWidth);
  }

  /**
   * Sets the Matryoshka widths of an SAE that is in no registry and whose file does not name them.
   *
   * @param widths rising prefix widths; {@code d_sae} is added if missing
   * @return changed options
   */
  public LoadOptions widths(List<Integer> widths) {
    List<Integer> copy = List.copyOf(widths);
    return with(v -> v.widths = copy);
  }

  /**
   * Sets how files are fetched from the Hub, in place of what was set before by {@link #revision},
   * {@link #offline}, {@link #cacheDir}, {@link #token}, {@link #endpoint}, {@link #forceDownload}
   * and {@link #progress}.
   *
   * @param hub the options of the Hub's client
   * @return changed options
   */
  public LoadOptions hub(HubOptions hub) {
    Objects.requireNonNull(hub, "hub");
    return with(v -> v.hub = hub);
  }

  /**
   * Sets the factor on model activations of an SAE that was trained on scaled ones ({@code
   * normalize_activations} is {@code expected_average_only_in}), where no table and no file of it
   * tells. Reconstructions are divided by it.
   *
   * @param factor a positive number that float32 can hold
   * @return changed options
   * @throws IllegalArgumentException if it is none
   */
  public LoadOptions normScalingFactor(double factor) {
    if (!(factor >= Float.MIN_NORMAL && factor <= Float.MAX_VALUE)) {
      throw new IllegalArgumentException(
          "the scaling factor must be a positive number from %s to %s, got %s"
              .formatted(Float.MIN_NORMAL, Float.MAX_VALUE, factor));
    }
    return with(v -> v.normScalingFactor = OptionalDouble.of(factor));
  }

  /**
   * Sets the branch, tag or commit on the Hub.
   *
   * @param revision such as {@code main}
   * @return changed options
   */
  public LoadOptions revision(String revision) {
    return hub(values.hub.revision(revision));
  }

  /**
   * Sets whether only the cache is used, whatever the environment says.
   *
   * @param offline true to send no request
   * @return changed options
   */
  public LoadOptions offline(boolean offline) {
    return hub(values.hub.offline(offline));
  }

  /**
   * Sets the Hub cache folder, shared with Python's huggingface_hub.
   *
   * @param cacheDir the folder
   * @return changed options
   */
  public LoadOptions cacheDir(Path cacheDir) {
    return hub(values.hub.cacheDir(cacheDir));
  }

  /**
   * Sets the Hub token, instead of the environment's.
   *
   * @param token a Hub access token
   * @return changed options
   */
  public LoadOptions token(String token) {
    return hub(values.hub.token(token));
  }

  /**
   * Sets the address of the Hub, instead of the environment's.
   *
   * @param endpoint base address of a Hub or mirror
   * @return changed options
   */
  public LoadOptions endpoint(URI endpoint) {
    return hub(values.hub.endpoint(endpoint));
  }

  /**
   * Sets whether files are fetched again although they are in the cache.
   *
   * @param forceDownload true to fetch again
   * @return changed options
   */
  public LoadOptions forceDownload(boolean forceDownload) {
    return hub(values.hub.forceDownload(forceDownload));
  }

  /**
   * Sets who is told of downloads.
   *
   * @param listener called while bytes arrive
   * @return changed options
   */
  public LoadOptions progress(ProgressListener listener) {
    return hub(values.hub.progress(listener));
  }

  /**
   * Sets the registry in which release names are looked up.
   *
   * @param registry the bundled one, or one with files of your own
   * @return changed options
   */
  public LoadOptions registry(ReleaseRegistry registry) {
    Objects.requireNonNull(registry, "registry");
    return with(v -> v.registry = registry);
  }

  /**
   * Folds the norms of the decoder rows: a latent is multiplied by the norm of its row, and the row
   * divided by it, so that all rows have norm 1 and reconstructions stay as they are. Neuronpedia
   * shows latents so. A row shorter than 1e-8 counts as 1e-8.
   *
   * @param foldDecoderNorms false, the default, to leave latents as they are
   * @return changed options
   * @see <a href="https://github.com/decoderesearch/SAELens">SAELens 6.39.0, fold_W_dec_norm</a>
   */
  public LoadOptions foldDecoderNorms(boolean foldDecoderNorms) {
    return with(v -> v.foldDecoderNorms = foldDecoderNorms);
  }

  /**
   * Sets whether the data that the fast path prepares (encoder rows, int8 codes) is kept on disk
   * for the next start.
   *
   * @param preparedCache true, the default, to keep it
   * @return changed options
   */
  public LoadOptions preparedCache(boolean preparedCache) {
    return with(v -> v.preparedCache = preparedCache);
  }

  /**
   * Uses the engine of accelerators on the CPU too, so that tests can run it there.
   *
   * @param int8From multiplications from which a call is screened with int8 products
   */
  LoadOptions withAcceleratorEngine(long int8From) {
    return with(v -> v.acceleratorInt8From = OptionalLong.of(int8From));
  }

  /** Where the engine of accelerators is wanted on any device, its {@code int8From}. */
  OptionalLong acceleratorInt8From() {
    return values.acceleratorInt8From;
  }

  Device device() {
    return values.device;
  }

  Optional<Dtype> dtype() {
    return Optional.ofNullable(values.dtype);
  }

  Engine engine() {
    return values.engine;
  }

  OptionalInt prefix() {
    return values.prefix == 0 ? OptionalInt.empty() : OptionalInt.of(values.prefix);
  }

  OptionalDouble normScalingFactor() {
    return values.normScalingFactor;
  }

  List<Integer> widths() {
    return values.widths;
  }

  HubOptions hub() {
    return values.hub;
  }

  Optional<ReleaseRegistry> registry() {
    return Optional.ofNullable(values.registry);
  }

  boolean foldDecoderNorms() {
    return values.foldDecoderNorms;
  }

  boolean preparedCache() {
    return values.preparedCache;
  }

  private LoadOptions with(Consumer<Values> change) {
    Values changed = new Values(values);
    change.accept(changed);
    return new LoadOptions(changed);
  }

  /** The fields, never changed once an instance of {@link LoadOptions} holds them. */
  private static final class Values {
    private Device device = Device.cpu();
    private Dtype dtype;
    private Engine engine = Engine.FAST;
    private int prefix;
    private List<Integer> widths = List.of();
    private OptionalDouble normScalingFactor = OptionalDouble.empty();
    private HubOptions hub = HubOptions.fromEnvironment();
    private ReleaseRegistry registry;
    private boolean preparedCache = true;
    private boolean foldDecoderNorms;
    private OptionalLong acceleratorInt8From = OptionalLong.empty();

    Values() {}

    Values(Values o) {
      device = o.device;
      dtype = o.dtype;
      engine = o.engine;
      prefix = o.prefix;
      widths = o.widths;
      normScalingFactor = o.normScalingFactor;
      hub = o.hub;
      registry = o.registry;
      preparedCache = o.preparedCache;
      foldDecoderNorms = o.foldDecoderNorms;
      acceleratorInt8From = o.acceleratorInt8From;
    }
  }
}
