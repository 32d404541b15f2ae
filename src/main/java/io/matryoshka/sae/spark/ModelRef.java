package io.matryoshka.sae.spark;

import io.matryoshka.sae.hub.HubOptions;
import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.lm.LanguageModelOptions;
import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;

/**
 * Names a language model and how it is run, so that every host of a cluster can open it. Immutable
 * and serialisable; each method returns a changed copy. Weights do not travel with it.
 *
 * <pre>{@code
 * ModelRef ref = ModelRef.of("google/gemma-2-2b").revision("c5ebcd40d208330abc697524c919956e692655cf");
 * ModelRef own = ModelRef.folder("s3a://bucket/my-model");
 * }</pre>
 */
public final class ModelRef implements Serializable {

  private static final long serialVersionUID = 1;

  private static final String MODEL = "model";
  private static final String FOLDER = "folder";
  private static final String BFLOAT16_PRODUCTS = "bfloat16_products";
  private static final String REVISION = "revision";
  private static final String OFFLINE = "offline";
  private static final String CACHE_DIR = "cache_dir";

  /** What was given, in alphabetical order; a concrete type, as it is serialised. */
  private final TreeMap<String, String> settings;

  /** What the model is on the driver; empty before it is opened there. */
  private final String identity;

  private ModelRef(TreeMap<String, String> settings, String identity) {
    this.settings = settings;
    this.identity = identity;
  }

  /**
   * Names a model of the Hugging Face Hub, or a bundled one. Each host fetches it to its own cache.
   *
   * @param model as {@link LanguageModel#fromPretrained(String)} takes it
   * @return the reference
   */
  public static ModelRef of(String model) {
    Objects.requireNonNull(model, MODEL);
    return new ModelRef(new TreeMap<>(), "").with(MODEL, model);
  }

  /**
   * Names the folder of a model. A folder that is not on a disk of the host is copied there once.
   *
   * @param folder a path, or the URI of a folder on any file system that Hadoop knows
   * @return the reference
   */
  public static ModelRef folder(String folder) {
    Objects.requireNonNull(folder, FOLDER);
    return new ModelRef(new TreeMap<>(), "").with(FOLDER, folder);
  }

  /**
   * Reads the text form.
   *
   * @param text a path with a {@code /} at its start or a URI, for a folder; else a name
   * @return the reference
   */
  public static ModelRef parse(String text) {
    return text.startsWith("/") || text.matches("[A-Za-z][A-Za-z0-9+.-]*:/.*")
        ? folder(text)
        : of(text);
  }

  /**
   * Sets whether matrix products are done in bfloat16.
   *
   * @param bfloat16 as {@link LanguageModelOptions#bfloat16Products(boolean)} takes it
   * @return changed reference
   */
  public ModelRef bfloat16Products(boolean bfloat16) {
    return with(BFLOAT16_PRODUCTS, Boolean.toString(bfloat16));
  }

  /**
   * Sets the version on the Hub; without it hosts may find different ones, which ends a job.
   *
   * @param revision a branch, tag or commit
   * @return changed reference
   */
  public ModelRef revision(String revision) {
    return with(REVISION, revision);
  }

  /**
   * Sets whether hosts use only what is in their caches.
   *
   * @param offline true to use no network
   * @return changed reference
   */
  public ModelRef offline(boolean offline) {
    return with(OFFLINE, Boolean.toString(offline));
  }

  /**
   * Sets the cache of the Hub.
   *
   * @param folder the same path on every host
   * @return changed reference
   */
  public ModelRef cacheDir(String folder) {
    return with(CACHE_DIR, folder);
  }

  private ModelRef with(String key, String value) {
    TreeMap<String, String> changed = new TreeMap<>(settings);
    changed.put(key, Objects.requireNonNull(value, key));
    return new ModelRef(changed, "");
  }

  private Optional<String> get(String key) {
    return Optional.ofNullable(settings.get(key));
  }

  private boolean isSet(String key) {
    return Boolean.parseBoolean(settings.get(key));
  }

  /** Returns the name for people, which files of activations tell. */
  String name() {
    return get(FOLDER).orElseGet(() -> settings.get(MODEL));
  }

  /** Returns what tells runs of different models apart, the same on all hosts. */
  String identity() {
    return identity;
  }

  /**
   * Opens the model on the driver, and takes note of what it is, so that hosts can check theirs. A
   * path gets the file system that it is on.
   */
  ModelRef resolve(Configuration hadoop) throws IOException {
    ModelRef full = this;
    if (get(FOLDER).isPresent()) {
      full = with(FOLDER, HadoopPaths.qualify(settings.get(FOLDER), hadoop).toString());
    }
    return new ModelRef(full.settings, full.describe(OpenModels.get(full, hadoop)));
  }

  /** Returns what an opened model is, whatever the host has it in. */
  String describe(LanguageModel model) throws IOException {
    return "%s, %s, bfloat16 products: %s"
        .formatted(model.config(), model.fingerprint(), isSet(BFLOAT16_PRODUCTS));
  }

  /** Checks that a model, of which {@link #describe} was taken, is the one of the driver. */
  void requireSame(String here) throws SparkJobException {
    if (!identity.isEmpty() && !identity.equals(here)) {
      throw new SparkJobException(
          ("%s: the language model of this host is not that of the driver: here it is %s, on the"
                  + " driver %s; give all hosts the same files, such as one folder that all of"
                  + " them see, or one revision of the Hub")
              .formatted(name(), here, identity));
    }
  }

  /** Opens the model, with what the reference says alone. */
  LanguageModel open(Configuration hadoop) throws IOException {
    LanguageModelOptions options =
        LanguageModelOptions.defaults().bfloat16Products(isSet(BFLOAT16_PRODUCTS)).hub(hub());
    return get(FOLDER).isPresent()
        ? LanguageModel.load(FolderCopy.onThisHost(settings.get(FOLDER), hadoop), options)
        : LanguageModel.fromPretrained(settings.get(MODEL), options);
  }

  private HubOptions hub() {
    HubOptions hub = HubOptions.fromEnvironment();
    hub = get(REVISION).map(hub::revision).orElse(hub);
    hub = isSet(OFFLINE) ? hub.offline(true) : hub;
    return get(CACHE_DIR).map(Path::of).map(hub::cacheDir).orElse(hub);
  }

  /** Equal references open the same model; what it is on the driver does not matter. */
  @Override
  public boolean equals(Object other) {
    return other instanceof ModelRef ref && ref.settings.equals(settings);
  }

  @Override
  public int hashCode() {
    return settings.hashCode();
  }

  @Override
  public String toString() {
    return "ModelRef" + settings;
  }
}
