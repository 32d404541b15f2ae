package io.matryoshka.sae.lm;

import io.matryoshka.sae.config.SaeConfig;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/** What the metadata of an SAE says of the text that it was trained on. */
final class SaeMetadata {

  private static final String EOS = "eos";

  private final Map<String, Object> metadata;

  private SaeMetadata(Map<String, Object> metadata) {
    this.metadata = metadata;
  }

  static SaeMetadata of(SaeConfig config) {
    return new SaeMetadata(config.metadata());
  }

  PackingOptions packing(LanguageModelConfig config) {
    int size =
        metadata.get("context_size") instanceof Number number && number.intValue() >= 2
            ? number.intValue()
            : PackingOptions.DEFAULT_CONTEXT_SIZE;
    boolean prepended = !Boolean.FALSE.equals(metadata.get("prepend_bos"));
    OptionalInt first = prepended ? config.bos() : OptionalInt.empty();
    return new PackingOptions(Math.min(size, config.maxPositions()), first, separator(config));
  }

  private OptionalInt separator(LanguageModelConfig config) {
    Object token = metadata.get("sequence_separator_token");
    if (token instanceof Number id) {
      return OptionalInt.of(id.intValue());
    }
    return EOS.equals(token)
        ? config.eos().stream().mapToInt(Integer::intValue).min()
        : config.bos();
  }

  /** Whether special tokens were left out of training; also where the metadata lists some. */
  boolean excludesSpecialTokens() {
    Object excluded = metadata.get("exclude_special_tokens");
    return excluded instanceof List<?> ids ? !ids.isEmpty() : Boolean.TRUE.equals(excluded);
  }
}
