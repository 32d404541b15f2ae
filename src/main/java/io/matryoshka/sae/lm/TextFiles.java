package io.matryoshka.sae.lm;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.matryoshka.sae.internal.filetype.FileType;
import io.matryoshka.sae.internal.filetype.JsonProblems;
import io.matryoshka.sae.internal.filetype.JsonRules;
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

  /** Takes documents and where each stands: the file, and the line of a {@code .jsonl} file. */
  @FunctionalInterface
  private interface PlacedConsumer {
    void accept(String text, String place) throws IOException;
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
    readPlaced(file, (text, place) -> consumer.accept(text));
  }

  private static void readPlaced(Path file, PlacedConsumer consumer) throws IOException {
    FileType.requireFile(file);
    try {
      if (!file.toString().toLowerCase(Locale.ROOT).endsWith(".jsonl")) {
        give(InputFiles.withoutByteOrderMark(Files.readString(file)), file.toString(), consumer);
        return;
      }
      readLines(file, consumer);
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException(file + ": expected UTF-8 text", e);
    }
  }

  private static void readLines(Path file, PlacedConsumer consumer) throws IOException {
    long replaced = 0;
    try (BufferedReader lines = Files.newBufferedReader(file)) {
      int number = 1;
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        String json = number == 1 ? InputFiles.withoutByteOrderMark(line) : line;
        if (!json.isBlank()) {
          String place = "%s, line %d".formatted(file, number);
          String text = document(place, json);
          replaced += LoneSurrogates.count(text);
          give(LoneSurrogates.replace(text), place, consumer);
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
    Requirements requirements = new Requirements(model.name(), model.config());
    for (Path file : files) {
      readPlaced(
          file,
          (text, place) -> {
            Tokens tokens = model.tokensWithoutBos(text);
            requirements.requireIds(tokens, place);
            contexts.addAll(packer.add(tokens));
          });
    }
    packer.rest().ifPresent(contexts::add);
    return contexts;
  }

  private static List<Tokens> parts(List<Path> files, LanguageModel model, int size)
      throws IOException {
    List<Tokens> texts = new ArrayList<>();
    for (Path file : files) {
      readPlaced(
          file,
          (text, place) ->
              model.tokensInParts(text, size).forEach(part -> texts.add(part.from(place))));
    }
    return texts;
  }

  private static void give(String text, String place, PlacedConsumer consumer) throws IOException {
    if (!text.isBlank()) {
      consumer.accept(text, place);
    }
  }

  private static String document(String place, String line) {
    JsonNode text;
    try {
      JsonNode node = JsonRules.STRICT.parse(line);
      text = node.isObject() ? node.path("text") : node;
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(JsonProblems.describe(place, e), e);
    }
    if (!text.isTextual()) {
      throw new IllegalArgumentException(
          place + ": expected a JSON text, or an object with a text 'text'");
    }
    return text.textValue();
  }
}
