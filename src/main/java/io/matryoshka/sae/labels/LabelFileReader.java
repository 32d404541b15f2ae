package io.matryoshka.sae.labels;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.matryoshka.sae.internal.filetype.FileType;
import io.matryoshka.sae.internal.filetype.JsonProblems;
import io.matryoshka.sae.internal.filetype.JsonRules;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Reads a user's own labels. */
final class LabelFileReader {

  private static final String JSON_NAME = ".json";
  private static final String CSV_NAME = ".csv";
  private static final long MAX_BYTES = 256L << 20;

  private final Path file;
  private final Map<Integer, Label> labels = new TreeMap<>();

  /** Whether there is nothing but latents and labels. */
  private boolean plain = true;

  private LabelFileReader(Path file) {
    this.file = file;
  }

  static Labels read(Path file) throws IOException {
    LabelFileReader reader = new LabelFileReader(file);
    reader.read();
    return new FileLabels(file.toString(), reader.labels);
  }

  /** Reads a file that holds nothing but latents and labels; the map may be changed. */
  static Map<Integer, Label> readPlain(Path file) throws IOException {
    LabelFileReader reader = new LabelFileReader(file);
    reader.read();
    if (!reader.plain) {
      throw reader.fault(
          "holds more than latents and labels, which a change here would lose; name another file");
    }
    return reader.labels;
  }

  /** Returns a value if the name of the file says what it holds. */
  static <T> T requireName(Path file, T value) throws LabelException {
    String name = file.toString().toLowerCase(Locale.ROOT);
    if (!name.endsWith(JSON_NAME) && !name.endsWith(CSV_NAME)) {
      throw new LabelException(file + ": expected a file that ends with .csv or .json");
    }
    return value;
  }

  private void read() throws IOException {
    FileType.requireFile(file);
    if (Files.size(file) > MAX_BYTES) {
      throw fault("has %d bytes, at most %d are read".formatted(Files.size(file), MAX_BYTES));
    }
    if (requireName(file, file).toString().toLowerCase(Locale.ROOT).endsWith(JSON_NAME)) {
      readJson();
    } else {
      readCsv();
    }
  }

  private record FileLabels(String source, Map<Integer, Label> labels) implements Labels {

    @Override
    public Optional<Label> find(int latent) {
      return Optional.ofNullable(labels.get(latent));
    }

    @Override
    public void close() {}
  }

  private void readJson() throws IOException {
    JsonNode root;
    try {
      root = JsonRules.STRICT.read(file);
    } catch (JsonProcessingException e) {
      throw new LabelException(JsonProblems.describe(file.toString(), e), e);
    }
    if (root.isObject()) {
      for (Map.Entry<String, JsonNode> entry : root.properties()) {
        add(entry.getKey(), entry.getValue(), "entry '" + entry.getKey() + "'");
      }
    } else if (root.isArray()) {
      for (int i = 0; i < root.size(); i++) {
        plain &= root.path(i).size() == 2;
        add(root.path(i).path("latent").asText(), root.path(i).path("label"), "entry " + i);
      }
    } else {
      throw fault("expected {\"7\": \"text\"} or [{\"latent\": 7, \"label\": \"text\"}]");
    }
  }

  private void add(String latent, JsonNode label, String where) throws LabelException {
    if (!label.isTextual()) {
      throw fault(where + ": expected a text as label, got " + label.getNodeType());
    }
    add(latent, label.textValue(), where);
  }

  private void readCsv() throws IOException {
    List<List<String>> rows;
    try {
      rows = CsvRows.parse(Files.readString(file, StandardCharsets.UTF_8));
    } catch (CharacterCodingException e) {
      throw new LabelException(file + ": is not UTF-8", e);
    } catch (IllegalArgumentException e) {
      throw new LabelException(file + ": " + e.getMessage(), e);
    }
    List<String> head =
        rows.isEmpty()
            ? List.of()
            : rows.get(0).stream().map(name -> name.strip().toLowerCase(Locale.ROOT)).toList();
    int latent = head.indexOf("latent");
    int label = head.indexOf("label");
    if (latent < 0 || label < 0) {
      throw fault("expected a first line with the columns latent and label, got " + head);
    }
    plain = head.size() == 2;
    for (int i = 1; i < rows.size(); i++) {
      List<String> row = rows.get(i);
      if (row.size() != head.size()) {
        throw fault(
            "line %d: expected %d values, got %d".formatted(i + 1, head.size(), row.size()));
      }
      add(row.get(latent), row.get(label), "line " + (i + 1));
    }
  }

  private void add(String latent, String text, String where) throws LabelException {
    if (text.isBlank()) {
      return;
    }
    try {
      int index = Integer.parseInt(latent.strip());
      Label label =
          new Label(
              index, text, Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());
      if (labels.put(index, label) != null) {
        throw fault(where + ": latent " + index + " has a label already");
      }
    } catch (IllegalArgumentException e) {
      throw new LabelException(
          file + ": " + where + ": expected the index of a latent, from 0 on, got '" + latent + "'",
          e);
    }
  }

  private LabelException fault(String message) {
    return new LabelException(file + ": " + message);
  }
}
