package io.matryoshka.sae.lm;

import io.matryoshka.sae.hub.NotCachedException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Text to tokens and back, by the tokenizer of a model, which is read when first needed. */
final class TextCodec implements AutoCloseable {

  private final ModelFiles files;
  private final LanguageModelConfig config;
  private Optional<GemmaTokenizer> tokenizer = Optional.empty();

  TextCodec(ModelFiles files, LanguageModelConfig config) {
    this.files = files;
    this.config = config;
  }

  Tokens tokens(String text, boolean withBos) throws IOException {
    if (text.isEmpty()) {
      throw new IllegalArgumentException("the text is empty; expected at least one character");
    }
    Tokens plain = tokenizer().encode(text);
    requireFit(plain);
    int bos = config.bos().orElse(-1);
    boolean begins = plain.size() > 0 && plain.id(0) == bos;
    if (!withBos || bos < 0 || begins) {
      return plain;
    }
    return withBos(plain, bos);
  }

  private Tokens withBos(Tokens plain, int bos) throws IOException {
    int[] ids = new int[plain.size() + 1];
    ids[0] = bos;
    System.arraycopy(plain.ids(), 0, ids, 1, plain.size());
    List<String> pieces = new ArrayList<>(plain.pieces());
    pieces.add(0, tokenizer().piece(bos));
    List<Optional<Tokens.Span>> spans = new ArrayList<>();
    spans.add(Optional.empty());
    for (int i = 0; i < plain.size(); i++) {
      spans.add(plain.span(i));
    }
    return new Tokens(ids, pieces, spans);
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

  String text(int... ids) throws IOException {
    return tokenizer().decode(ids);
  }

  String piece(int id) throws IOException {
    return tokenizer().piece(id);
  }

  /** Decodes ids; gives an empty text where the model has no tokenizer. */
  String textIfPossible(int... ids) {
    try {
      return files.tokenizer().isPresent() && GemmaTokenizer.isAvailable() ? text(ids) : "";
    } catch (NotCachedException e) {
      return ""; // Offline, and only ids were asked for before.
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private synchronized GemmaTokenizer tokenizer() throws IOException {
    if (tokenizer.isEmpty()) {
      Path file =
          files
              .tokenizer()
              .orElseThrow(
                  () ->
                      new ModelFormatException(
                          files.name()
                              + " holds no tokenizer.json; put it there, or give token ids"));
      tokenizer = Optional.of(GemmaTokenizer.open(file));
    }
    return tokenizer.get();
  }

  @Override
  public synchronized void close() {
    tokenizer.ifPresent(GemmaTokenizer::close);
    tokenizer = Optional.empty();
  }
}
