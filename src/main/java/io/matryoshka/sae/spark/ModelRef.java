package io.matryoshka.sae.spark;

import io.matryoshka.sae.internal.spark.host.HostHub;
import io.matryoshka.sae.internal.spark.host.HostModel;
import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.lm.LanguageModelOptions;
import java.io.Serializable;
import java.util.Objects;

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

  /** What a host needs to open the model. */
  private final HostModel model;

  private ModelRef(HostModel model) {
    this.model = model;
  }

  /**
   * Names a model of the Hugging Face Hub, or a bundled one. Each host fetches it to its own cache.
   *
   * @param model as {@link LanguageModel#fromPretrained(String)} takes it
   * @return the reference
   */
  public static ModelRef of(String model) {
    Objects.requireNonNull(model, "model");
    return new ModelRef(HostModel.of(model));
  }

  /**
   * Names the folder of a model. A folder that is not on a disk of the host is copied there once.
   *
   * @param folder a path, or the URI of a folder on any file system that Hadoop knows
   * @return the reference
   */
  public static ModelRef folder(String folder) {
    Objects.requireNonNull(folder, "folder");
    return new ModelRef(HostModel.folder(folder));
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
    return new ModelRef(model.bfloat16Products(bfloat16));
  }

  /**
   * Sets the version on the Hub; without it hosts may find different ones, which ends a job.
   *
   * @param revision a branch, tag or commit
   * @return changed reference
   */
  public ModelRef revision(String revision) {
    return new ModelRef(model.hub(HostHub.unsaid().revision(revision)));
  }

  /**
   * Sets whether hosts use only what is in their caches.
   *
   * @param offline true to use no network
   * @return changed reference
   */
  public ModelRef offline(boolean offline) {
    return new ModelRef(model.hub(HostHub.unsaid().offline(offline)));
  }

  /**
   * Sets the cache of the Hub.
   *
   * @param folder the same path on every host
   * @return changed reference
   */
  public ModelRef cacheDir(String folder) {
    return new ModelRef(model.hub(HostHub.unsaid().cacheDir(folder)));
  }

  /** Returns what travels to hosts. */
  HostModel host() {
    return model;
  }

  /** Equal references open the same model. */
  @Override
  public boolean equals(Object other) {
    return other instanceof ModelRef ref && ref.model.equals(model);
  }

  @Override
  public int hashCode() {
    return model.hashCode();
  }

  @Override
  public String toString() {
    return "ModelRef" + model;
  }
}
