package io.matryoshka.sae.lm;

import io.matryoshka.sae.hub.NotCachedException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;

/** Text to tokens and back, by the tokenizer of a model, which is read when first needed. */
final class TextCodec implements AutoCloseable {

  private final ModelFiles files;
  private final LanguageModelConfig config;
  private Optional<ModelTokenizer> tokenizer = Optional.empty();

  TextCodec(ModelFiles files, LanguageModelConfig config) {
    this.files = files;
    this.config = config;
  }

  /**
   * Makes tokens of a text.
   *
   * @param framed whether special tokens stand before and after it
   */
  Tokens tokens(String text, boolean framed) throws IOException {
    if (text.isEmpty()) {
      throw new IllegalArgumentException("the text is empty; expected at least one character");
    }
    Tokens plain = tokenizer().encode(text);
    Tokens tokens = framed ? framed(plain) : plain;
    requireFit(tokens);
    return tokens;
  }

  /**
   * Makes tokens of a text in parts of at most so many tokens, each framed as a text of its own.
   */
  List<Tokens> parts(String text, int atMost) throws IOException {
    Tokens plain = tokens(text, false);
    int frame = frame().size();
    int step = atMost - frame;
    if (step < 1) {
      throw new IllegalArgumentException(
          "parts of %d tokens have no room for text beside the %d special tokens of %s"
              .formatted(atMost, frame, files.name()));
    }
    List<Tokens> parts = new ArrayList<>();
    for (int first = 0; first < plain.size(); first += step) {
      parts.add(framed(plain.range(first, Math.min(plain.size(), first + step))));
    }
    return parts;
  }

  /** One BOS is enough; an encoder's tokenizer adds [CLS] whatever the text begins with. */
  private Tokens framed(Tokens plain) throws IOException {
    int bos = config.bos().orElse(-1);
    boolean begins = bos >= 0 && plain.size() > 0 && plain.id(0) == bos;
    return begins ? plain : frame().around(plain);
  }

  /** The ids of the special tokens around each text, as far as they can be known. */
  Set<Integer> specialIds() throws IOException {
    if (!config.isEncoder()) {
      return config.bos().stream().boxed().collect(Collectors.toUnmodifiableSet());
    }
    return hasTokenizer() ? frame().ids() : Set.of();
  }

  /** A decoder's BOS stands in its configuration; what an encoder has, in its post-processor. */
  private Frame frame() throws IOException {
    if (config.isEncoder()) {
      return tokenizer().frame();
    }
    int bos = config.bos().orElse(-1);
    return bos < 0 ? Frame.NONE : Frame.bos(bos, tokenizer().piece(bos));
  }

  private void requireFit(Tokens tokens) throws ModelFormatException {
    for (int i = 0; i < tokens.size(); i++) {
      if (tokens.id(i) >= config.vocabularySize()) {
        throw new ModelFormatException(
            "the tokenizer of %s does not fit the model: it gives id %d for '%s', and the embedding"
                    .formatted(files.name(), tokens.id(i), tokens.piece(i))
                + " has ids 0 to "
                + (config.vocabularySize() - 1));
      }
    }
  }

  /** The texts of ids that no text was made of, such as BOS. */
  Map<Integer, String> pieces(OptionalInt... ids) throws IOException {
    Map<Integer, String> pieces = new HashMap<>();
    for (OptionalInt id : ids) {
      if (id.isPresent()) {
        pieces.put(id.getAsInt(), tokenizer().piece(id.getAsInt()));
      }
    }
    return pieces;
  }

  String text(int... ids) throws IOException {
    return tokenizer().decode(ids);
  }

  String piece(int id) throws IOException {
    return tokenizer().piece(id);
  }

  /** Decodes ids; gives an empty text where the model has no tokenizer. */
  String textIfPossible(int... ids) {
    try {
      return hasTokenizer() ? text(ids) : "";
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private boolean hasTokenizer() throws IOException {
    try {
      return files.tokenizer().isPresent() && ModelTokenizer.isAvailable();
    } catch (NotCachedException e) {
      return false; // Offline, and only ids were asked for before.
    }
  }

  private synchronized ModelTokenizer tokenizer() throws IOException {
    if (tokenizer.isEmpty()) {
      Path file =
          files
              .tokenizer()
              .orElseThrow(
                  () ->
                      new ModelFormatException(
                          files.name()
                              + " holds no tokenizer.json; put it there, or give token ids"));
      tokenizer = Optional.of(ModelTokenizer.open(file));
    }
    return tokenizer.get();
  }

  @Override
  public synchronized void close() {
    tokenizer.ifPresent(ModelTokenizer::close);
    tokenizer = Optional.empty();
  }
}
