package io.matryoshka.sae.explore;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.matryoshka.sae.internal.filetype.FileType;
import io.matryoshka.sae.internal.filetype.JsonProblems;
import io.matryoshka.sae.internal.filetype.JsonRules;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The tokens that activations belong to, one for each row, in sequences such as sentences.
 * Immutable.
 */
public final class Tokens {

  private final List<String> texts;
  private final int[] sequences;
  private final WordPieces pieces;

  private Tokens(List<String> texts, int[] sequences) {
    this.texts = List.copyOf(texts);
    this.sequences = sequences;
    this.pieces = WordPieces.of(this.texts);
  }

  /**
   * Makes tokens.
   *
   * @param texts the token of each row as the tokenizer writes it; any text
   * @param sequences for each row a number that changes where a new sequence starts
   * @return the tokens
   * @throws IllegalArgumentException if there are not as many numbers as texts
   */
  public static Tokens of(List<String> texts, int[] sequences) {
    if (texts.size() != sequences.length) {
      throw new IllegalArgumentException(
          "tokens: expected a sequence for each of %s tokens, got %s"
              .formatted(texts.size(), sequences.length));
    }
    return new Tokens(texts, sequences.clone());
  }

  /**
   * Makes tokens of sequences, such as texts or contexts.
   *
   * @param sequences the tokens of each sequence as the tokenizer writes them, in the order of rows
   * @return the tokens
   */
  public static Tokens ofSequences(List<List<String>> sequences) {
    List<String> texts = new ArrayList<>();
    int[] numbers = new int[sequences.stream().mapToInt(List::size).sum()];
    for (int s = 0; s < sequences.size(); s++) {
      int first = texts.size();
      texts.addAll(sequences.get(s));
      Arrays.fill(numbers, first, texts.size(), s);
    }
    return new Tokens(texts, numbers);
  }

  /**
   * Reads a file: lines of UTF-8 text with one token each, all in one sequence, or, if its name
   * ends in {@code .json}, a list, or an object whose {@code tokens} is a list, of texts or of
   * objects with a text {@code token} and perhaps a number {@code sentence}. Lists in that list are
   * sequences, such as the prompts of a batch.
   *
   * @param file the file
   * @return its tokens
   * @throws IllegalArgumentException if it is not of such a form
   * @throws IOException if it cannot be read
   */
  public static Tokens read(Path file) throws IOException {
    FileType.requireFile(file);
    try {
      if (!file.getFileName().toString().endsWith(".json")) {
        List<String> lines = Files.readAllLines(file);
        return new Tokens(lines, new int[lines.size()]);
      }
      return parse(file.toString(), JsonRules.STRICT.read(file));
    } catch (MalformedInputException e) {
      String found = FileType.of(file).problem().map(what -> "; it " + what).orElse("");
      throw new IllegalArgumentException("%s: expected UTF-8 text%s".formatted(file, found), e);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(JsonProblems.describe(file.toString(), e), e);
    }
  }

  private static Tokens parse(String file, JsonNode root) {
    JsonNode list = root.isObject() ? root.path("tokens") : root;
    if (!list.isArray()) {
      throw new IllegalArgumentException(
          file + ": expected a JSON list of tokens, or an object with such a list 'tokens'");
    }
    Builder tokens = new Builder(file);
    for (JsonNode item : list) {
      if (item.isArray()) {
        tokens.startSequence();
        item.forEach(tokens::add);
        tokens.startSequence();
      } else {
        tokens.add(item);
      }
    }
    return tokens.build();
  }

  /** Collects tokens; those of an inner list, and those of one sentence, are a sequence. */
  private static final class Builder {
    private final String file;
    private final List<String> texts = new ArrayList<>();
    private final List<Integer> sequences = new ArrayList<>();
    private int sequence;
    private int sentence;

    Builder(String file) {
      this.file = file;
    }

    void startSequence() {
      sequence++;
    }

    void add(JsonNode item) {
      JsonNode text = item.isObject() ? item.path("token") : item;
      if (!text.isTextual()) {
        throw new IllegalArgumentException(
            "%s: token %d: expected a text, or an object with a text 'token', got %s"
                .formatted(file, texts.size(), item));
      }
      int next = item.path("sentence").asInt(sentence);
      if (next != sentence) {
        sentence = next;
        sequence++;
      }
      texts.add(text.textValue());
      sequences.add(sequence);
    }

    Tokens build() {
      return new Tokens(texts, sequences.stream().mapToInt(Integer::intValue).toArray());
    }
  }

  /**
   * Returns the number of tokens.
   *
   * @return rows
   */
  public int size() {
    return texts.size();
  }

  /**
   * Returns a token.
   *
   * @param row index of the row
   * @return its text
   * @throws IndexOutOfBoundsException if there is no such row
   */
  public String text(int row) {
    return texts.get(row);
  }

  /** Returns how the words of these tokens are cut into pieces. */
  WordPieces pieces() {
    return pieces;
  }

  /** Whether a token goes on the word of the token before it. */
  boolean goesOn(int row) {
    return row > 0 && sameSequence(row - 1, row) && pieces.goesOn(texts.get(row));
  }

  /** The whole word that a token belongs to. */
  String word(int row) {
    int from = row;
    while (goesOn(from)) {
      from--;
    }
    StringBuilder word = new StringBuilder(pieces.piece(texts.get(from)));
    for (int next = from + 1; next < size() && goesOn(next); next++) {
      word.append(pieces.piece(texts.get(next)));
    }
    return word.toString();
  }

  /**
   * Tells whether two rows belong to one sequence.
   *
   * @param row a row
   * @param other a row
   * @return true if their sequence has the same number
   */
  boolean sameSequence(int row, int other) {
    return sequences[row] == sequences[other];
  }

  /**
   * Checks that these are the tokens of some activations.
   *
   * @param rows rows of the activations
   * @throws IllegalArgumentException if there is not one token for each row
   */
  public void requireRows(long rows) {
    if (rows != texts.size()) {
      throw new IllegalArgumentException(
          ("tokens: expected one for each of the %s rows of activations, got %s; give"
                  + " the tokens of exactly these activations")
              .formatted(rows, texts.size()));
    }
  }
}
