package io.matryoshka.sae.lm;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.matryoshka.sae.internal.filetype.JsonProblems;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads documents from files: a plain text is one document; a {@code .jsonl} file has one on each
 * line, as a JSON text or an object with a text {@code text}.
 */
public final class TextFiles {

  private static final Logger LOG = LoggerFactory.getLogger(TextFiles.class);

  private TextFiles() {}

  /** Takes documents. */
  @FunctionalInterface
  public interface DocumentConsumer {

    /**
     * Takes a document.
     *
     * @param text its text, not empty
     * @throws IOException to end reading
     */
    void accept(String text) throws IOException;
  }

  /**
   * Reads the documents of a file, one at a time. A byte order mark is left out. Halves of
   * surrogate pairs, which a {@code .jsonl} file can hold, become U+FFFD, which is said once for
   * the file.
   *
   * @param file the file, in UTF-8
   * @param consumer takes the documents in the order of the file; empty ones are left out
   * @throws IllegalArgumentException if the file is not UTF-8, or a line is not such JSON
   * @throws IOException if the file cannot be read
   */
  public static void read(Path file, DocumentConsumer consumer) throws IOException {
    InputFiles.requireFile(file);
    try {
      if (!file.toString().toLowerCase(Locale.ROOT).endsWith(".jsonl")) {
        give(InputFiles.withoutByteOrderMark(Files.readString(file)), consumer);
        return;
      }
      readLines(file, consumer);
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException(file + ": expected UTF-8 text", e);
    }
  }

  private static void readLines(Path file, DocumentConsumer consumer) throws IOException {
    long replaced = 0;
    try (BufferedReader lines = Files.newBufferedReader(file)) {
      int number = 1;
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        String json = number == 1 ? InputFiles.withoutByteOrderMark(line) : line;
        if (!json.isBlank()) {
          String text = document(file, json, number);
          replaced += LoneSurrogates.count(text);
          give(LoneSurrogates.replace(text), consumer);
        }
        number++;
      }
    }
    if (replaced > 0) {
      LOG.warn("{}: {} halves of surrogate pairs became U+FFFD", file, replaced);
    }
  }

  /**
   * Reads documents as a language model takes them: packed into contexts for a decoder, each for
   * itself for an encoder, a long one in parts.
   *
   * @param files the files, in their order
   * @param model makes the tokens
   * @param packing how a decoder's contexts are packed
   * @param longest tokens of a part of an encoder's document; empty for what the model takes
   * @return the contexts or parts; empty if the files hold no text
   * @throws IllegalArgumentException if a file holds no documents, or a size does not fit the model
   * @throws IOException if a file cannot be read, or the model has no tokenizer
   */
  public static List<Tokens> contexts(
      List<Path> files, LanguageModel model, PackingOptions packing, Optional<Integer> longest)
      throws IOException {
    return model.config().isEncoder()
        ? parts(files, model, longest.orElse(model.config().maxPositions()))
        : packed(files, model.packer(packing), model);
  }

  private static List<Tokens> packed(List<Path> files, ContextPacker packer, LanguageModel model)
      throws IOException {
    List<Tokens> contexts = new ArrayList<>();
    for (Path file : files) {
      read(file, text -> contexts.addAll(packer.add(model.tokensWithoutBos(text))));
    }
    packer.rest().ifPresent(contexts::add);
    return contexts;
  }

  private static List<Tokens> parts(List<Path> files, LanguageModel model, int size)
      throws IOException {
    List<Tokens> texts = new ArrayList<>();
    for (Path file : files) {
      read(file, text -> texts.addAll(model.tokensInParts(text, size)));
    }
    return texts;
  }

  private static void give(String text, DocumentConsumer consumer) throws IOException {
    if (!text.isBlank()) {
      consumer.accept(text);
    }
  }

  private static String document(Path file, String line, int number) {
    JsonNode text;
    try {
      JsonNode node = InputFiles.JSON.readTree(line);
      text = node.isObject() ? node.path("text") : node;
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(
          "%s, line %d: not JSON: %s".formatted(file, number, JsonProblems.describe(e)), e);
    }
    if (!text.isTextual()) {
      throw new IllegalArgumentException(
          "%s, line %d: expected a JSON text, or an object with a text 'text'"
              .formatted(file, number));
    }
    return text.textValue();
  }
}
