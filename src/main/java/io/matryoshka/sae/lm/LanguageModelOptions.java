package io.matryoshka.sae.lm;

import io.matryoshka.sae.hub.HubOptions;
import io.matryoshka.sae.registry.ReleaseRegistry;
import java.util.Objects;

/**
 * How a language model is found and run. Immutable; each method returns a changed copy.
 *
 * <pre>{@code
 * LanguageModelOptions options = LanguageModelOptions.defaults().bfloat16Products(true);
 * }</pre>
 *
 * @param bfloat16Products whether matrix products are done in bfloat16; norms, attention scores and
 *     the residual stream stay float32
 * @param hub where and how files are fetched from the Hugging Face Hub
 * @param registry the releases that tell which model an SAE reads
 */
public record LanguageModelOptions(
    boolean bfloat16Products, HubOptions hub, ReleaseRegistry registry) {

  /**
   * Checks that all are given.
   *
   * @param bfloat16Products whether matrix products are done in bfloat16
   * @param hub how files are fetched
   * @param registry the known releases
   */
  public LanguageModelOptions {
    Objects.requireNonNull(hub, "hub");
    Objects.requireNonNull(registry, "registry");
  }

  /**
   * Returns the defaults: float32 arithmetic, the environment's Hub settings, and the releases that
   * ship with the library.
   *
   * @return the defaults
   */
  public static LanguageModelOptions defaults() {
    return new LanguageModelOptions(false, HubOptions.fromEnvironment(), ReleaseRegistry.bundled());
  }

  /**
   * Sets whether matrix products are done in bfloat16. That is faster where the processor has such
   * products (AVX512-BF16, AMX) and slower elsewhere. Activations move by less than 1 %, so latents
   * close to their threshold change: of bookworm-3m by 0.3 % of their norm and 0.4 % of the active
   * latents, of all-MiniLM-L6-v2 by 0.6 % and 0.7 %.
   *
   * @param bfloat16 true for bfloat16 products; false, the default, for float32
   * @return changed options
   */
  public LanguageModelOptions bfloat16Products(boolean bfloat16) {
    return new LanguageModelOptions(bfloat16, hub, registry);
  }

  /**
   * Sets how files are fetched.
   *
   * @param options address, revision, cache, token and progress of the Hub
   * @return changed options
   */
  public LanguageModelOptions hub(HubOptions options) {
    return new LanguageModelOptions(bfloat16Products, options, registry);
  }

  /**
   * Sets the known releases.
   *
   * @param releases a registry
   * @return changed options
   */
  public LanguageModelOptions registry(ReleaseRegistry releases) {
    return new LanguageModelOptions(bfloat16Products, hub, releases);
  }
}
