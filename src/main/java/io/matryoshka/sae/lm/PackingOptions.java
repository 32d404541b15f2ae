package io.matryoshka.sae.lm;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.config.SaeConfig;
import java.util.Objects;
import java.util.OptionalInt;

/**
 * How documents become contexts of one length, as SAELens' {@code concat_and_batch_sequences} does
 * it for training and evaluation: one document after the other, cut wherever a context is full.
 *
 * @param contextSize tokens of a context
 * @param first the id in front of each context, such as BOS; not doubled where it stands there
 * @param separator the id between two documents in a context; not doubled either
 */
public record PackingOptions(int contextSize, OptionalInt first, OptionalInt separator) {

  /** The length of contexts where neither the SAE nor the caller says one. */
  public static final int DEFAULT_CONTEXT_SIZE = 128;

  /**
   * Checks the length.
   *
   * @param contextSize at least 2
   * @param first the id in front of each context
   * @param separator the id between two documents
   */
  public PackingOptions {
    if (contextSize < 2) {
      throw new IllegalArgumentException(
          "context size: expected at least 2 tokens, got " + contextSize);
    }
    Objects.requireNonNull(first, "first");
    Objects.requireNonNull(separator, "separator");
  }

  /**
   * Packs with the model's BOS in front of each context and between documents.
   *
   * @param contextSize tokens of a context
   * @param config the model
   * @return the options
   */
  public static PackingOptions of(int contextSize, LanguageModelConfig config) {
    return new PackingOptions(contextSize, config.bos(), config.bos());
  }

  /**
   * Packs as the SAE was trained, by the {@code context_size}, {@code prepend_bos} and {@code
   * sequence_separator_token} of its metadata.
   *
   * @param sae the SAE
   * @param config its model
   * @return the options; contexts of {@value #DEFAULT_CONTEXT_SIZE} tokens with BOS where the
   *     metadata says nothing
   */
  public static PackingOptions of(SAE sae, LanguageModelConfig config) {
    return of(sae.config(), config);
  }

  /**
   * Packs as an SAE was trained, as {@link #of(SAE, LanguageModelConfig)} does.
   *
   * @param sae what the files of the SAE say
   * @param config its model
   * @return the options
   */
  public static PackingOptions of(SaeConfig sae, LanguageModelConfig config) {
    return SaeMetadata.of(sae).packing(config);
  }

  /**
   * Tells whether rows of special tokens such as BOS are no part of an SAE's training and figures.
   *
   * @param sae the SAE
   * @return what {@code exclude_special_tokens} of its metadata says; false without it
   */
  public static boolean excludesSpecialTokens(SAE sae) {
    return excludesSpecialTokens(sae.config());
  }

  /**
   * Tells whether rows of special tokens are no part of an SAE's training and figures.
   *
   * @param sae what the files of the SAE say
   * @return what {@code exclude_special_tokens} of its metadata says; false without it
   */
  public static boolean excludesSpecialTokens(SaeConfig sae) {
    return SaeMetadata.of(sae).excludesSpecialTokens();
  }

  /**
   * Sets the length of contexts.
   *
   * @param size tokens of a context
   * @return changed options
   */
  public PackingOptions contextSize(int size) {
    return new PackingOptions(size, first, separator);
  }
}
