package io.matryoshka.sae.internal.spark.job;

import io.matryoshka.sae.internal.spark.store.StoreFolder;
import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.lm.TokenMask;
import io.matryoshka.sae.lm.Tokens;
import io.matryoshka.sae.stream.RowMask;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The mask that leaves out rows of special tokens such as BOS, in a folder of its own below that of
 * the activations, so that nobody reads it as such.
 *
 * @param model name of the language model
 * @param isEncoder whether it puts special tokens around each text
 * @param ids the special tokens
 */
public record SpecialTokens(String model, boolean isEncoder, Set<Integer> ids) {

  static final String FOLDER = "mask";

  private static final Logger LOG = LoggerFactory.getLogger(SpecialTokens.class);

  private static final String FILE = "mask.safetensors";

  static SpecialTokens of(LanguageModel model) throws IOException {
    return new SpecialTokens(model.name(), model.config().isEncoder(), model.specialIds());
  }

  boolean areKnown() {
    return !ids.isEmpty();
  }

  /** There is nothing to leave out where none are known. */
  void requireKnown() {
    if (!areKnown()) {
      throw new IllegalArgumentException(
          "the special tokens of %s are not known: its config.json names none and it has no tokenizer.json that does"
              .formatted(model));
    }
  }

  /** Says that rows count that the SAE's training left out. A decoder without BOS has none. */
  void warnIfUnknown() {
    if (!areKnown() && isEncoder) {
      LOG.warn(
          "the SAE was trained without special tokens; without a tokenizer of {} they are not known,"
              + " and their rows count",
          model);
    }
  }

  /** Writes the mask of the rows of texts. */
  RowMask write(List<Tokens> texts, StoreFolder folder) throws IOException {
    folder.create();
    Path local = Files.createTempFile("matryoshka-sae-mask", ".safetensors");
    try {
      TokenMask.write(texts, ids, local);
      folder.upload(local, FILE);
    } finally {
      Files.deleteIfExists(local);
    }
    RowMask mask = RowMask.open(folder.file(FILE), Optional.of(TokenMask.TENSOR));
    LOG.info(
        "{} of {} rows are of special tokens and left out",
        mask.rows() - mask.countKept(),
        mask.rows());
    return mask;
  }

  static void delete(StoreFolder folder) throws IOException {
    folder.delete(FILE);
    folder.deleteIfEmpty();
  }
}
