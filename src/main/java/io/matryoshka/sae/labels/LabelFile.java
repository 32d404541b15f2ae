package io.matryoshka.sae.labels;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.internal.io.AtomicFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A file of your own labels that can be changed: {@code {"7": "text"}} in a file that ends with
 * {@code .json}, the columns {@code latent} and {@code label} in one that ends with {@code .csv}. A
 * change is in the file when the method returns; before it, the file is read again, so that several
 * programs may change different labels of one file. May be used by many threads at the same time.
 */
public final class LabelFile implements Labels {

  private static final JsonMapper JSON = new JsonMapper();

  private final Path file;
  private Map<Integer, Label> labels;

  private LabelFile(Path file, Map<Integer, Label> labels) {
    this.file = file;
    this.labels = labels;
  }

  /**
   * Opens a file, which need not exist: it is made, with its folder, when the first label is put.
   *
   * @param file a name that ends with {@code .json} or {@code .csv}
   * @return its labels
   * @throws LabelException if the file is malformed, or holds more than latents and labels, which a
   *     change would lose
   * @throws IOException if it cannot be read
   */
  public static LabelFile open(Path file) throws IOException {
    Objects.requireNonNull(file, "file");
    return new LabelFile(file, read(file));
  }

  private static Map<Integer, Label> read(Path file) throws IOException {
    return Files.exists(file)
        ? LabelFileReader.readPlain(file)
        : LabelFileReader.requireName(file, new TreeMap<>());
  }

  @Override
  public synchronized Optional<Label> find(int latent) {
    return Optional.ofNullable(labels.get(latent));
  }

  /**
   * Returns the labels of all latents that have one.
   *
   * @return a copy, rising by latent
   */
  public synchronized Map<Integer, Label> all() {
    return new TreeMap<>(labels);
  }

  /**
   * Sets the label of a latent.
   *
   * @param latent the index of the latent, counted from 0
   * @param text the label, cleaned as {@link Label} does
   * @return the label
   * @throws IllegalArgumentException if the index is negative or the text is blank
   * @throws IOException if the file cannot be read or written; it is then as it was
   */
  public synchronized Label put(int latent, String text) throws IOException {
    Label label =
        new Label(
            latent, text, Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());
    Map<Integer, Label> changed = read(file);
    changed.put(latent, label);
    write(changed);
    return label;
  }

  /**
   * Removes the label of a latent, if it has one.
   *
   * @param latent the index of the latent, counted from 0
   * @throws IOException if the file cannot be read or written; it is then as it was
   */
  public synchronized void remove(int latent) throws IOException {
    Map<Integer, Label> changed = read(file);
    if (changed.remove(latent) != null) {
      write(changed);
    } else {
      labels = changed;
    }
  }

  private void write(Map<Integer, Label> changed) throws IOException {
    Files.createDirectories(file.toAbsolutePath().getParent());
    boolean csv = file.toString().toLowerCase(Locale.ROOT).endsWith(".csv");
    AtomicFile.write(file, csv ? csv(changed) : json(changed));
    labels = changed;
  }

  private static String json(Map<Integer, Label> labels) throws IOException {
    ObjectNode node = JSON.createObjectNode();
    labels.forEach((latent, label) -> node.put(latent.toString(), label.text()));
    return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(node) + "\n";
  }

  private static String csv(Map<Integer, Label> labels) {
    StringBuilder text = new StringBuilder("latent,label\n");
    labels.forEach(
        (latent, label) ->
            text.append(latent)
                .append(",\"")
                .append(label.text().replace("\"", "\"\""))
                .append("\"\n"));
    return text.toString();
  }

  @Override
  public String source() {
    return file.toString();
  }

  @Override
  public void close() {}
}
