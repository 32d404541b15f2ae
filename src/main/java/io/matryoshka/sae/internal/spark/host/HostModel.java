package io.matryoshka.sae.internal.spark.host;

import io.matryoshka.sae.internal.spark.store.FolderCopy;
import io.matryoshka.sae.internal.spark.store.HadoopPaths;
import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.lm.LanguageModelOptions;
import java.io.IOException;
import java.io.Serializable;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;

/**
 * A language model by name, how it is run, and what it is on the driver: what travels to hosts,
 * each of which opens it. Immutable.
 */
public final class HostModel implements Serializable {

  private static final long serialVersionUID = 1;

  private static final String MODEL = "model";
  private static final String FOLDER = "folder";
  private static final String BFLOAT16_PRODUCTS = "bfloat16_products";

  /** What was given, in alphabetical order; a concrete type, as it is serialised. */
  private final TreeMap<String, String> settings;

  /** What the model is on the driver; empty before it is opened there. */
  private final String identity;

  private HostModel(TreeMap<String, String> settings, String identity) {
    this.settings = settings;
    this.identity = identity;
  }

  /** Names a model of the Hub, or a bundled one. */
  public static HostModel of(String model) {
    return new HostModel(new TreeMap<>(), "").with(MODEL, model);
  }

  /** Names the folder of a model, by path or URI. */
  public static HostModel folder(String folder) {
    return new HostModel(new TreeMap<>(), "").with(FOLDER, folder);
  }

  /** Sets whether matrix products are done in bfloat16. */
  public HostModel bfloat16Products(boolean bfloat16) {
    return with(BFLOAT16_PRODUCTS, Boolean.toString(bfloat16));
  }

  /** Sets what is said of the Hub. */
  public HostModel hub(HostHub hub) {
    return new HostModel(hub.addedTo(settings), "");
  }

  private HostModel with(String key, String value) {
    return new HostModel(Settings.with(settings, key, value), "");
  }

  private Optional<String> get(String key) {
    return Optional.ofNullable(settings.get(key));
  }

  private boolean isSet(String key) {
    return Boolean.parseBoolean(settings.get(key));
  }

  /** Returns the name for people, which files of activations tell. */
  public String name() {
    return get(FOLDER).orElseGet(() -> settings.get(MODEL));
  }

  /** Returns what tells runs of different models apart, the same on all hosts. */
  public String identity() {
    return identity;
  }

  /**
   * Opens the model on the driver, and takes note of what it is, so that hosts can check theirs. A
   * path gets the file system that it is on.
   */
  public HostModel resolve(Configuration hadoop) throws IOException {
    HostModel full = this;
    if (get(FOLDER).isPresent()) {
      full = with(FOLDER, HadoopPaths.qualify(settings.get(FOLDER), hadoop).toString());
    }
    return new HostModel(full.settings, full.describe(OpenModels.get(full, hadoop)));
  }

  /** Returns what an opened model is, whatever the host has it in. */
  String describe(LanguageModel model) throws IOException {
    return "bfloat16 products: %s, %s, %s"
        .formatted(model.bfloat16Products(), model.fingerprint(), model.config());
  }

  /** Checks that a model, of which {@link #describe} was taken, is the one of the driver. */
  void requireSame(String here) throws JobFault {
    if (!identity.isEmpty() && !identity.equals(here)) {
      throw new JobFault(
          ("%s: the language model of this host is not that of the driver: here it is %s, on the"
                  + " driver %s; give all hosts the same files, such as one folder that all of"
                  + " them see, or one revision of the Hub")
              .formatted(name(), here, identity));
    }
  }

  /** Opens the model, with what the reference says alone. */
  LanguageModel open(Configuration hadoop) throws IOException {
    LanguageModelOptions options =
        LanguageModelOptions.defaults()
            .bfloat16Products(isSet(BFLOAT16_PRODUCTS))
            .hub(HostHub.options(settings));
    return get(FOLDER).isPresent()
        ? LanguageModel.load(FolderCopy.onThisHost(settings.get(FOLDER), hadoop), options)
        : LanguageModel.fromPretrained(settings.get(MODEL), options);
  }

  /** Equal references open the same model; what it is on the driver does not matter. */
  @Override
  public boolean equals(Object other) {
    return other instanceof HostModel model && model.settings.equals(settings);
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
