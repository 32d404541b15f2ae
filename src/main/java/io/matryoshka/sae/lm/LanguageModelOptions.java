package io.matryoshka.sae.lm;

import io.matryoshka.sae.hub.ProgressListener;
import java.net.URI;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;

/**
 * How a language model is found and run. Immutable; each method returns a changed copy.
 *
 * <pre>{@code
 * LanguageModelOptions options = LanguageModelOptions.defaults().bfloat16Products(true);
 * }</pre>
 */
public final class LanguageModelOptions {

  private static final LanguageModelOptions DEFAULTS = new LanguageModelOptions(new Values());

  private final Values values;

  private static final class Values implements Cloneable {
    private boolean bfloat16;
    private Optional<String> revision = Optional.empty();
    private Optional<Boolean> offline = Optional.empty();
    private Optional<Path> cacheDir = Optional.empty();
    private Optional<String> token = Optional.empty();
    private Optional<URI> endpoint = Optional.empty();
    private Optional<ProgressListener> progress = Optional.empty();

    private Values copy() {
      try {
        return (Values) clone();
      } catch (CloneNotSupportedException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  /** One changed value. */
  private interface Change {
    void apply(Values values);
  }

  private LanguageModelOptions(Values values) {
    this.values = values;
  }

  private LanguageModelOptions with(Change change) {
    Values changed = values.copy();
    change.apply(changed);
    return new LanguageModelOptions(changed);
  }

  /**
   * Returns the defaults: float32 arithmetic, and the environment's Hub settings.
   *
   * @return the defaults
   */
  public static LanguageModelOptions defaults() {
    return DEFAULTS;
  }

  /**
   * Sets whether matrix products are done in bfloat16. Norms, attention scores and the residual
   * stream stay float32. Faster where the processor has such products (AVX512-BF16, AMX), slower
   * elsewhere; activations move by about 1 %, so latents close to their threshold may flip.
   *
   * @param bfloat16 true for bfloat16 products; false, the default, for float32
   * @return changed options
   */
  public LanguageModelOptions bfloat16Products(boolean bfloat16) {
    return with(v -> v.bfloat16 = bfloat16);
  }

  /**
   * Sets the revision on the Hub.
   *
   * @param revision a branch, tag or commit
   * @return changed options
   */
  public LanguageModelOptions revision(String revision) {
    Objects.requireNonNull(revision, "revision");
    return with(v -> v.revision = Optional.of(revision));
  }

  /**
   * Sets whether only what is cached is used.
   *
   * @param offline true to send no request; the default is the environment's
   * @return changed options
   */
  public LanguageModelOptions offline(boolean offline) {
    return with(v -> v.offline = Optional.of(offline));
  }

  /**
   * Sets the folder of the Hub's cache.
   *
   * @param cacheDir the folder; the default is the environment's
   * @return changed options
   */
  public LanguageModelOptions cacheDir(Path cacheDir) {
    Objects.requireNonNull(cacheDir, "cacheDir");
    return with(v -> v.cacheDir = Optional.of(cacheDir));
  }

  /**
   * Sets the access token of the Hub.
   *
   * @param token the token; the default is the environment's
   * @return changed options
   */
  public LanguageModelOptions token(String token) {
    Objects.requireNonNull(token, "token");
    return with(v -> v.token = Optional.of(token));
  }

  /**
   * Sets the address of the Hub.
   *
   * @param endpoint the address; the default is the environment's
   * @return changed options
   */
  public LanguageModelOptions endpoint(URI endpoint) {
    Objects.requireNonNull(endpoint, "endpoint");
    return with(v -> v.endpoint = Optional.of(endpoint));
  }

  /**
   * Sets who is told of downloads.
   *
   * @param listener the listener
   * @return changed options
   */
  public LanguageModelOptions progress(ProgressListener listener) {
    Objects.requireNonNull(listener, "listener");
    return with(v -> v.progress = Optional.of(listener));
  }

  boolean bfloat16Products() {
    return values.bfloat16;
  }

  Optional<String> revision() {
    return values.revision;
  }

  Optional<Boolean> offline() {
    return values.offline;
  }

  Optional<Path> cacheDir() {
    return values.cacheDir;
  }

  Optional<String> token() {
    return values.token;
  }

  Optional<URI> endpoint() {
    return values.endpoint;
  }

  Optional<ProgressListener> progress() {
    return values.progress;
  }
}
