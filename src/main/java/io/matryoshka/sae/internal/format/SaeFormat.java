package io.matryoshka.sae.internal.format;

import io.matryoshka.sae.config.SaeConfig;
import io.matryoshka.sae.config.SaeFormatException;
import io.matryoshka.sae.internal.filetype.FileType;
import io.matryoshka.sae.internal.npz.NpzFile;
import io.matryoshka.sae.internal.torchzip.TorchZipFile;
import io.matryoshka.sae.internal.weights.SafetensorsTensors;
import io.matryoshka.sae.internal.weights.TensorFile;
import io.matryoshka.sae.store.ByteSource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The formats of SAE folders that are read, by the names of the release tables. */
public enum SaeFormat {
  /** SAELens: {@code cfg.json} and {@code sae_weights.safetensors}. */
  SAELENS(
      "saelens",
      "cfg.json",
      "sae_weights.safetensors",
      SafetensorsTensors::open,
      new SaeLensReader()),
  /** Gemma Scope 2: {@code config.json} and {@code params.safetensors}. */
  GEMMA_SCOPE_2(
      "gemma-scope-2",
      "config.json",
      "params.safetensors",
      SafetensorsTensors::open,
      new GemmaScopeReader(2)),
  /** Gemma Scope 1: {@code params.npz}, with nothing beside it. */
  GEMMA_SCOPE_1(
      "gemma-scope-1", "config.json", "params.npz", NpzFile::open, new GemmaScopeReader(1)),
  /** dictionary_learning, and so SAEBench: {@code config.json} and {@code ae.pt}. */
  DICTIONARY_LEARNING(
      "dictionary-learning",
      "config.json",
      "ae.pt",
      TorchZipFile::open,
      new DictionaryLearningReader()),
  /** EleutherAI's sparsify: {@code cfg.json} and {@code sae.safetensors}. */
  SPARSIFY(
      "sparsify", "cfg.json", "sae.safetensors", SafetensorsTensors::open, new SparsifyReader());

  /** Opens the container of the tensors. */
  @FunctionalInterface
  private interface Container {
    TensorFile open(ByteSource source) throws IOException;
  }

  private static final int HEAD_BYTES = 512;

  private final String key;
  private final String configFile;
  private final String weightFile;
  private final Container container;
  private final FormatReader reader;

  SaeFormat(
      String key, String configFile, String weightFile, Container container, FormatReader reader) {
    this.key = key;
    this.configFile = configFile;
    this.weightFile = weightFile;
    this.container = container;
    this.reader = reader;
  }

  /**
   * Returns the name in release tables.
   *
   * @return such as {@code gemma-scope-2}
   */
  public String key() {
    return key;
  }

  /**
   * Returns the file with the configuration.
   *
   * @return its name in the folder
   */
  public String configFile() {
    return configFile;
  }

  /**
   * Returns the file with the tensors.
   *
   * @return its name in the folder
   */
  public String weightFile() {
    return weightFile;
  }

  /**
   * Tells whether the folder must hold the configuration; else the tensors and the folder's name
   * tell what is needed.
   *
   * @return true for SAELens and sparsify
   */
  public boolean needsConfig() {
    return this == SAELENS || this == SPARSIFY;
  }

  /**
   * Reads the configuration of an SAE.
   *
   * @param place the folder and its small files
   * @param tensors opens the tensors, where they are needed for it
   * @return the configuration
   * @throws io.matryoshka.sae.config.SaeFormatException if files are malformed
   * @throws io.matryoshka.sae.config.UnsupportedArchitectureException if it is none that runs here
   * @throws IOException if files cannot be read
   */
  public SaeConfig config(SaePlace place, TensorSource tensors) throws IOException {
    return reader.config(place, tensors);
  }

  /** Opens the tensors of an SAE as they are in the file. */
  @FunctionalInterface
  public interface TensorSource {

    /**
     * Opens the tensors.
     *
     * @return them under the names of the file; the caller of the reader closes them
     * @throws IOException if the file cannot be read
     */
    TensorFile open() throws IOException;
  }

  /**
   * Opens the tensors under the names of the file.
   *
   * @param source the bytes of {@link #weightFile}, closed with the tensors
   * @return the open file, to be closed by the caller
   * @throws IOException if the file is malformed or cannot be read
   */
  public TensorFile openRaw(ByteSource source) throws IOException {
    if (!weightFile.endsWith(".safetensors")) {
      requireArchive(source);
    }
    return container.open(source);
  }

  /** Says what a file is that is no archive, such as a pointer of Git LFS. */
  private static void requireArchive(ByteSource source) throws IOException {
    ByteBuffer head = ByteBuffer.allocate((int) Math.min(HEAD_BYTES, source.size()));
    source.readFully(0, head);
    FileType type = FileType.of(head.array());
    boolean archive =
        Set.of(FileType.NPZ, FileType.TORCH_ZIP, FileType.ZIP, FileType.PICKLE).contains(type);
    if (!archive && type.problem().isPresent()) {
      source.close();
      throw new SaeFormatException(source.name() + ": " + type.problem().get());
    }
  }

  /**
   * Opens the tensors under SAELens' names, with SAELens' shapes.
   *
   * @param source the bytes of {@link #weightFile}, closed with the tensors
   * @param config the configuration
   * @return the open file, to be closed by the caller
   * @throws IOException if the file is malformed or cannot be read
   */
  public TensorFile open(ByteSource source, SaeConfig config) throws IOException {
    TensorFile raw = openRaw(source);
    try {
      return new RenamedTensors(raw, List.copyOf(reader.tensors(raw, config)));
    } catch (Throwable e) {
      raw.close();
      throw e;
    }
  }

  /**
   * Recognises a folder by the names of its files.
   *
   * @param names the names
   * @return the format; empty if the weights of none are there
   */
  public static Optional<SaeFormat> of(Set<String> names) {
    return Arrays.stream(values()).filter(format -> names.contains(format.weightFile)).findFirst();
  }

  /**
   * Finds a format.
   *
   * @param key the name in release tables
   * @return the format, empty if there is none of that name
   */
  public static Optional<SaeFormat> find(String key) {
    return Arrays.stream(values()).filter(format -> format.key.equals(key)).findFirst();
  }
}
