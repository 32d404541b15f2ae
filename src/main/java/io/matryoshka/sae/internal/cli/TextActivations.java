package io.matryoshka.sae.internal.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.internal.io.TemporaryFolder;
import io.matryoshka.sae.lm.ActivationExport;
import io.matryoshka.sae.lm.HookPoint;
import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.lm.PackingOptions;
import io.matryoshka.sae.lm.TextRunSettings;
import io.matryoshka.sae.lm.TokenMask;
import io.matryoshka.sae.lm.Tokens;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.RowMask;
import io.matryoshka.sae.stream.RowRules;
import io.matryoshka.sae.stream.SourceOptions;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The activations of texts, where a command takes those of files: the language model writes them to
 * a temporary folder, which is deleted when the program ends.
 */
final class TextActivations {

  /** Files of more bytes are spoken of. */
  private static final long NOTED_BYTES = 1L << 30;

  private final Path folder;
  private final List<Tokens> texts;
  private final ObjectNode settings;
  private final Set<Integer> special;
  private final boolean ofEncoder;
  private final boolean asked;

  private TextActivations(Path folder, List<Tokens> texts, LanguageModel model, boolean asked)
      throws IOException {
    this.folder = folder;
    this.texts = texts;
    this.settings = TextRunSettings.of(model, texts);
    this.special = model.specialIds();
    this.ofEncoder = model.config().isEncoder();
    this.asked = asked;
    if (asked) {
      requireSpecial(model);
    }
  }

  /**
   * Runs the texts through the language model up to the place that the SAE reads.
   *
   * @param skipsSpecial whether rows of special tokens are left out whatever the SAE says
   */
  static TextActivations of(
      SAE sae,
      TextMixin text,
      ModelMixin model,
      LoadMixin load,
      Output output,
      boolean skipsSpecial)
      throws IOException {
    try (LanguageModel opened = load.openModel(sae, model, output)) {
      List<Tokens> texts = text.read(opened, Optional.of(sae));
      Map<String, Integer> widths = Map.of(HookPoint.of(sae).toString(), sae.dIn());
      return of(opened, texts, widths, output, skipsSpecial);
    }
  }

  /**
   * Runs texts through a language model up to several places.
   *
   * @param widths the hook points, and the width of the activations there
   * @param skipsSpecial whether rows of special tokens are left out whatever an SAE says
   */
  static TextActivations of(
      LanguageModel opened,
      List<Tokens> texts,
      Map<String, Integer> widths,
      Output output,
      boolean skipsSpecial)
      throws IOException {
    Path folder = TemporaryFolder.create("text").path(); // Lives until the program ends.
    TextActivations made = new TextActivations(folder, texts, opened, skipsSpecial);
    long rows = texts.stream().mapToLong(Tokens::size).sum();
    long width = widths.values().stream().mapToLong(w -> w).sum();
    long bytes = Math.multiplyExact(rows, width * Float.BYTES);
    requireRoom(folder, bytes);
    diskNote(folder, bytes).ifPresent(output::note);
    try (Progress bar = output.progress("language model", "tokens", rows)) {
      List<String> hooks = List.copyOf(widths.keySet());
      new ActivationExport(opened, hooks, false, bar::stepTo).toFile(texts, made.file());
    }
    return made;
  }

  /** Checks that activations fit the disk, before the model runs for hours. */
  static void requireRoom(Path folder, long bytes) throws IOException {
    long free = Files.getFileStore(folder).getUsableSpace();
    if (free < bytes) {
      throw new FileSystemException(
          folder.toString(),
          null,
          "the activations of the texts need %s and %s are free; set java.io.tmpdir to a folder on a larger disk, or give fewer texts"
              .formatted(Numbers.bytes(bytes), Numbers.bytes(free)));
    }
  }

  /** What to say of activations that take much of the disk. */
  static Optional<String> diskNote(Path folder, long bytes) {
    return bytes <= NOTED_BYTES
        ? Optional.empty()
        : Optional.of(
            "the activations of the texts take %s in %s while the command runs"
                .formatted(Numbers.bytes(bytes), folder));
  }

  private Path file() {
    return folder.resolve("activations.safetensors");
  }

  private Path mask() {
    return folder.resolve("mask.safetensors");
  }

  ActivationSource open(SAE sae) throws IOException {
    String hook = HookPoint.of(sae).toString();
    return ActivationSource.open(List.of(file()), SourceOptions.of(sae).tensor(hook))
        .madeFrom(settings.deepCopy().put("hook_point", hook));
  }

  /** The texts that the language model ran. */
  List<Tokens> texts() {
    return texts;
  }

  /** The tokens, each text a sequence of its own. */
  io.matryoshka.sae.explore.Tokens tokens() {
    return io.matryoshka.sae.explore.Tokens.ofSequences(
        texts.stream().map(Tokens::pieces).toList());
  }

  /** There is nothing to leave out where no special tokens are known. */
  static void requireSpecial(LanguageModel model) throws IOException {
    if (model.specialIds().isEmpty()) {
      throw new IllegalArgumentException(
          "--skip-special-tokens: the special tokens of %s are not known: its config.json names none and it has no tokenizer.json that does"
              .formatted(model.name()));
    }
  }

  /** Leaves out the rows of special tokens where the user asks, or the SAE was trained so. */
  RowRules rules(RowRules given, SAE sae, Output output) throws IOException {
    if (given.mask().isPresent() || !(asked || PackingOptions.excludesSpecialTokens(sae))) {
      return given;
    }
    if (special.isEmpty()) {
      if (ofEncoder) {
        output.note(
            "the SAE was trained without special tokens; without a tokenizer of the model they are not"
                + " known, and their rows count");
      }
      return given;
    }
    if (!Files.exists(mask())) {
      TokenMask.write(texts, special, mask());
    }
    RowMask mask = RowMask.open(mask(), Optional.of(TokenMask.TENSOR));
    output.note(
        "%d of %d rows are of special tokens such as <bos> or [CLS] and left out, %s"
            .formatted(
                mask.rows() - mask.countKept(),
                mask.rows(),
                asked ? "as --skip-special-tokens asks" : "as in the SAE's training"));
    return given.mask(mask);
  }
}
