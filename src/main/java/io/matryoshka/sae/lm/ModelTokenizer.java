package io.matryoshka.sae.lm;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.CharSpan;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A {@code tokenizer.json}, run by Hugging Face's own library behind {@code
 * ai.djl.huggingface:tokenizers}. Nothing is cut off, padded or downloaded.
 */
final class ModelTokenizer implements AutoCloseable {

  private static final String LIBRARY = "ai.djl.huggingface.tokenizers.HuggingFaceTokenizer";

  /** Which build of the native library is unpacked; any other than this may be downloaded. */
  private static final String FLAVOUR = "RUST_FLAVOR";

  /** The library cuts a text to 512 tokens unless told otherwise. */
  private static final Map<String, String> OPTIONS =
      Map.of(
          "truncation", "false",
          "padding", "false",
          "addSpecialTokens", "false",
          "modelMaxLength", Integer.toString(Integer.MAX_VALUE));

  /** Something that every vocabulary has a token for, so that what frames it can be told apart. */
  private static final String ANY_TEXT = "a";

  private final HuggingFaceTokenizer tokenizer;

  private ModelTokenizer(HuggingFaceTokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /** Whether the optional library is on the class path. */
  static boolean isAvailable() {
    return ModelTokenizer.class.getClassLoader().getResource(LIBRARY.replace('.', '/') + ".class")
        != null;
  }

  static ModelTokenizer open(Path file) throws IOException {
    if (!isAvailable()) {
      throw new IllegalStateException(
          "reading text needs the library ai.djl.huggingface:tokenizers:0.36.0 on the class path;"
              + " add it, or give token ids");
    }
    if (System.getProperty(FLAVOUR) == null && System.getenv(FLAVOUR) == null) {
      System.setProperty(FLAVOUR, "cpu");
    }
    try (InputStream in = Files.newInputStream(file)) {
      return new ModelTokenizer(HuggingFaceTokenizer.newInstance(in, OPTIONS));
    } catch (RuntimeException e) {
      throw new ModelFormatException(file + ": not a tokenizer: " + e.getMessage(), e);
    }
  }

  /** Makes tokens without special ones of the tokenizer's own. */
  Tokens encode(String text) {
    String wellFormed = LoneSurrogates.replace(text);
    return tokens(wellFormed, tokenizer.encode(wellFormed, false, false));
  }

  private static Tokens tokens(String text, Encoding encoding) {
    int[] ids = Arrays.stream(encoding.getIds()).mapToInt(Math::toIntExact).toArray();
    return new Tokens(ids, List.of(encoding.getTokens()), spans(text, encoding));
  }

  /** The library counts code points, Java UTF-16 units. */
  private static List<Optional<Tokens.Span>> spans(String text, Encoding encoding) {
    List<Optional<Tokens.Span>> spans = new ArrayList<>();
    int points = 0;
    int units = 0;
    for (CharSpan span : encoding.getCharTokenSpans()) {
      if (span == null) {
        spans.add(Optional.empty());
        continue;
      }
      // Tokens come in order, but those of one character share a span.
      units = text.offsetByCodePoints(units, span.getStart() - points);
      points = span.getStart();
      int end = text.offsetByCodePoints(units, span.getEnd() - span.getStart());
      spans.add(Optional.of(new Tokens.Span(units, end)));
    }
    return spans;
  }

  /** The special tokens that the post-processor puts before and after a text. */
  Frame frame() {
    Encoding encoding = tokenizer.encode(ANY_TEXT, true, false);
    Tokens tokens = tokens(ANY_TEXT, encoding);
    long[] special = encoding.getSpecialTokenMask();
    int before = 0;
    while (before < special.length && special[before] != 0) {
      before++;
    }
    int after = special.length;
    while (after > before && special[after - 1] != 0) {
      after--;
    }
    return new Frame(tokens.range(0, before), tokens.range(after, tokens.size()));
  }

  /** The vocabulary's spelling of an id. */
  String piece(int id) {
    return tokenizer.decode(new long[] {id}, false);
  }

  /** Makes text without special tokens. */
  String decode(int... ids) {
    return tokenizer.decode(Arrays.stream(ids).asLongStream().toArray(), true);
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
