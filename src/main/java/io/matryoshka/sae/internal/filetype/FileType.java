package io.matryoshka.sae.internal.filetype;

import io.matryoshka.sae.store.ByteSource;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** What a file is by its first bytes, whatever its name. */
public enum FileType {
  /** Read by {@code safetensors}. */
  SAFETENSORS("a safetensors file", ""),
  /** Read by {@code npy}. */
  NPY("a NumPy .npy file", ""),
  /** Left by {@code git clone} without LFS. */
  GIT_LFS_POINTER(
      "a Git LFS pointer, not the file itself",
      "run 'git lfs pull' in the clone, or download the file from the Hub"),
  /** {@code np.savez}. */
  NPZ("a NumPy archive (.npz)", "save each array of it with np.save(path, array)"),
  /** {@code torch.save} since PyTorch 1.6. */
  TORCH_ZIP(
      "a PyTorch file of torch.save (.pt, .pth, .bin)",
      "load it in Python with torch.load and save the tensors with"
          + " safetensors.torch.save_file({'name': tensor}, path)"),
  /** {@code torch.save} before PyTorch 1.6, and any other pickle. */
  PICKLE(
      "a Python pickle, as old PyTorch and joblib write it",
      "load it in Python and save the tensors with safetensors.torch.save_file or np.save"),
  /** {@code datasets.save_to_disk}, and so SAELens' CacheActivationsRunner. */
  ARROW(
      "an Arrow file, as a Hugging Face data set has them (SAELens caches activations so)",
      "load its folder in Python with datasets.load_from_disk and save the column of activations"
          + " with np.save or safetensors"),
  /** Apache Parquet. */
  PARQUET(
      "a Parquet file",
      "load it in Python (datasets or pandas) and save the column of activations with np.save"),
  /** HDF5, Keras. */
  HDF5("an HDF5 file", "load it in Python with h5py and save the array with np.save"),
  /** llama.cpp. */
  GGUF("a GGUF file of llama.cpp", "take the safetensors or PyTorch original"),
  /** gzip. */
  GZIP("compressed with gzip", "unpack it with 'gunzip' or 'tar xzf'"),
  /** Zstandard. */
  ZSTD("compressed with Zstandard", "unpack it with 'zstd -d'"),
  /** bzip2. */
  BZIP2("compressed with bzip2", "unpack it with 'bunzip2'"),
  /** xz. */
  XZ("compressed with xz", "unpack it with 'unxz'"),
  /** Any other zip. */
  ZIP("a zip archive", "unpack it"),
  /** tar. */
  TAR("a tar archive", "unpack it with 'tar xf'"),
  /** A page in place of a download. */
  HTML(
      "an HTML page, such as the error page of a website saved in place of the file",
      "download the file again"),
  /** XML, as object stores answer errors. */
  XML(
      "an XML document, such as an error of a store saved in place of the file",
      "download the file again"),
  /** JSON, a configuration or an error. */
  JSON("a JSON text", "give the file with the numbers"),
  /** No byte at all. */
  EMPTY("empty", "its download or copy may have failed: get it again"),
  /** Nothing of these. */
  UNKNOWN("of no known type", "");

  private static final int HEAD_BYTES = 512;
  private static final long MAX_HEADER_BYTES = 100_000_000;

  private final String description;
  private final String advice;

  FileType(String description, String advice) {
    this.description = description;
    this.advice = advice;
  }

  /**
   * Refuses a folder where a file is to be read; the system would only say that it is one, without
   * its name.
   *
   * @param path what was given as a file; may be missing
   * @throws IllegalArgumentException if it is a folder
   */
  public static void requireFile(Path path) {
    if (Files.isDirectory(path)) {
      throw new IllegalArgumentException(path + ": expected a file, and this is a folder");
    }
  }

  /**
   * Recognises a file.
   *
   * @param file the file, not a folder
   * @return its type, {@link #UNKNOWN} if it is none of these
   * @throws IOException if it cannot be read
   */
  public static FileType of(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return of(in.readNBytes(HEAD_BYTES));
    }
  }

  /**
   * Recognises a file of any store.
   *
   * @param source its bytes; stay open
   * @return its type, {@link #UNKNOWN} if it is none of these
   * @throws IOException if it cannot be read
   */
  public static FileType of(ByteSource source) throws IOException {
    ByteBuffer head = ByteBuffer.allocate((int) Math.min(source.size(), HEAD_BYTES));
    source.readFully(0, head);
    return of(head.array());
  }

  /**
   * Recognises a file by its first bytes.
   *
   * @param head the first 512 bytes of the file, or all if it is shorter
   * @return its type
   */
  public static FileType of(byte[] head) {
    if (head.length == 0) {
      return EMPTY;
    }
    Head bytes = new Head(head);
    if (bytes.isSafetensors(MAX_HEADER_BYTES)) {
      return SAFETENSORS;
    }
    if (bytes.startsWith(0x93, 'N', 'U', 'M', 'P', 'Y')) {
      return NPY;
    }
    if (bytes.startsWith("version https://git-lfs.github.com/")) {
      return GIT_LFS_POINTER;
    }
    if (bytes.startsWith('P', 'K', 3, 4) || bytes.startsWith('P', 'K', 5, 6)) {
      return bytes.zipType();
    }
    return bytes.binaryType().or(bytes::textType).orElse(UNKNOWN);
  }

  /**
   * Tells whether people keep arrays in files of this type, so that one among the inputs is not
   * passed over in silence.
   *
   * @return true for data, false for JSON, XML, HTML, an empty file and what is not known
   */
  public boolean isData() {
    return switch (this) {
      case HTML, XML, JSON, EMPTY, UNKNOWN -> false;
      default -> true;
    };
  }

  /**
   * Says what the file is and what to do, where it is not what was expected.
   *
   * @return such as {@code is a Git LFS pointer, not the file itself; run 'git lfs pull' …}; empty
   *     for {@link #UNKNOWN}
   */
  public Optional<String> problem() {
    return this == UNKNOWN
        ? Optional.empty()
        : Optional.of("is " + description + (advice.isEmpty() ? "" : "; " + advice));
  }

  /**
   * Returns what the file is.
   *
   * @return a noun with its article, such as {@code a NumPy archive (.npz)}
   */
  public String description() {
    return description;
  }
}
