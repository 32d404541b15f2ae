package io.matryoshka.sae.internal.torchzip;

import io.matryoshka.sae.internal.io.FileBytes;
import io.matryoshka.sae.internal.torchzip.PickleValue.Dictionary;
import io.matryoshka.sae.internal.torchzip.PickleValue.Storage;
import io.matryoshka.sae.internal.torchzip.PickleValue.Tensor;
import io.matryoshka.sae.internal.weights.StoredTensor;
import io.matryoshka.sae.internal.weights.TensorFile;
import io.matryoshka.sae.internal.zip.ZipArchive;
import io.matryoshka.sae.internal.zip.ZipMember;
import io.matryoshka.sae.store.ByteSource;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A file that {@code torch.save} wrote, with one tensor or a dictionary of tensors, open for
 * reading. Entries of the dictionary that are no tensors are left out, see {@link #skipped}.
 */
public final class TorchZipFile implements TensorFile {

  /** The name of the tensor of a file that holds one tensor and no dictionary. */
  public static final String ONLY_TENSOR = "tensor";

  private static final String PICKLE = "data.pkl";
  private static final String BYTE_ORDER = "byteorder";
  private static final int MAX_BYTE_ORDER_BYTES = 16;

  /** A tensor that repeats elements may have at most this many. */
  private static final long MAX_REPEATED_ELEMENTS = 1 << 22;

  private final ZipArchive archive;
  private final Map<String, ZipArchive.Content> storages = new HashMap<>();
  private final Map<String, StoredTensor> tensors = new LinkedHashMap<>();
  private final List<String> skipped = new ArrayList<>();

  private TorchZipFile(ZipArchive archive) {
    this.archive = archive;
  }

  /**
   * Opens a file on disk.
   *
   * @param path the file
   * @return the open file, to be closed by the caller
   * @throws TorchZipException if it is malformed, or holds what is not read
   * @throws IOException if it cannot be read
   */
  public static TorchZipFile open(Path path) throws IOException {
    if (Files.isDirectory(path)) {
      throw new TorchZipException(path + ": is a directory, expected a file of torch.save");
    }
    return open(FileBytes.open(path));
  }

  /**
   * Opens a file.
   *
   * @param source its bytes, closed with it, also where this method fails
   * @return the open file, to be closed by the caller
   * @throws TorchZipException if it is malformed, or holds what is not read
   * @throws IOException if it cannot be read
   */
  public static TorchZipFile open(ByteSource source) throws IOException {
    try {
      LegacyFormat.refuse(source);
      TorchZipFile file = new TorchZipFile(ZipArchive.open(source));
      try {
        file.readTensors();
        return file;
      } catch (Throwable e) {
        file.close();
        throw e;
      }
    } catch (Throwable e) {
      source.close();
      throw e;
    }
  }

  private void readTensors() throws IOException {
    ZipMember pickle = pickle();
    String top = pickle.name().substring(0, pickle.name().length() - PICKLE.length());
    requireLittleEndian(top);
    PickleValue value = PickleReader.read(name(), archive.readAll(pickle, PickleReader.MAX_BYTES));
    if (value instanceof Tensor tensor) {
      add(ONLY_TENSOR, tensor, top);
    } else if (value instanceof Dictionary dictionary) {
      for (Map.Entry<String, PickleValue> entry : dictionary.entries().entrySet()) {
        if (entry.getValue() instanceof Tensor tensor) {
          add(entry.getKey(), tensor, top);
        } else {
          skipped.add(entry.getKey());
        }
      }
    }
    if (tensors.isEmpty()) {
      throw new TorchZipException(
          name()
              + ": holds no tensor, nor a dictionary of tensors"
              + (skipped.isEmpty() ? "" : "; its first entry is " + skipped.get(0))
              + "; save the state_dict alone: torch.save(model.state_dict(), path)");
    }
  }

  /** The one pickle in the one folder of the archive. */
  private ZipMember pickle() throws IOException {
    List<ZipMember> found =
        archive.members().stream()
            .filter(member -> member.name().matches("[^/]+/" + PICKLE.replace(".", "\\.")))
            .toList();
    if (found.size() != 1) {
      throw new TorchZipException(
          name()
              + ": is a zip archive with "
              + found.size()
              + " members named <folder>/data.pkl; a file of torch.save has one");
    }
    String top = found.get(0).name().substring(0, found.get(0).name().indexOf('/'));
    if (archive.find(top + "/constants.pkl").isPresent()) {
      throw new TorchZipException(
          name()
              + ": is a TorchScript program, which is not read; save the state_dict alone:"
              + " torch.save(model.state_dict(), path)");
    }
    return found.get(0);
  }

  private void requireLittleEndian(String top) throws IOException {
    ZipMember order = archive.find(top + BYTE_ORDER).orElse(null);
    if (order == null) {
      return;
    }
    String value =
        new String(archive.readAll(order, MAX_BYTE_ORDER_BYTES), StandardCharsets.US_ASCII);
    if (!value.equals("little")) {
      throw new TorchZipException(
          name() + ": its byte order is '" + value + "', only 'little' is read");
    }
  }

  private void add(String name, Tensor tensor, String top) throws IOException {
    Storage storage = tensor.storage();
    ZipArchive.Content content = content(name, storage, top);
    long width = tensor.dtype().bits() / Byte.SIZE;
    try {
      StoredTensor stored =
          new StoredTensor(
              name,
              tensor.dtype(),
              ByteOrder.LITTLE_ENDIAN,
              tensor.shape(),
              tensor.strides(),
              content.source(),
              Math.addExact(content.position(), Math.multiplyExact(tensor.offset(), width)));
      requireWithin(stored, tensor, content.position());
      tensors.put(name, stored);
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw new TorchZipException(name() + ": " + e.getMessage(), e);
    }
  }

  /** Refuses a tensor that reaches beyond its own storage, or is much larger than it. */
  private void requireWithin(StoredTensor stored, Tensor tensor, long begin)
      throws TorchZipException {
    long storageBytes = bytes(tensor.storage());
    long end = stored.position() + stored.spanBytes() - begin;
    if (tensor.offset() < 0 || end > storageBytes) {
      throw new TorchZipException(
          "%s: %s ends at byte %d of its storage, which has %d"
              .formatted(name(), stored, end, storageBytes));
    }
    long stored64 = storageBytes / (tensor.dtype().bits() / Byte.SIZE);
    if (stored.elementCount() > Math.max(stored64, MAX_REPEATED_ELEMENTS)) {
      throw new TorchZipException(
          "%s: %s repeats the %d elements of its storage; save it with .contiguous()"
              .formatted(name(), stored, stored64));
    }
  }

  private ZipArchive.Content content(String tensor, Storage storage, String top)
      throws IOException {
    ZipMember member =
        archive
            .find(top + "data/" + storage.key())
            .orElseThrow(
                () ->
                    new TorchZipException(
                        "%s: the storage of tensor %s, member '%sdata/%s', is missing"
                            .formatted(name(), tensor, top, storage.key())));
    if (bytes(storage) != member.size()) {
      throw new TorchZipException(
          "%s: the storage of tensor %s must have %d elements of %s, but its member has %d bytes"
              .formatted(name(), tensor, storage.count(), storage.dtype(), member.size()));
    }
    ZipArchive.Content known = storages.get(storage.key());
    if (known == null) {
      known = archive.content(member);
      storages.put(storage.key(), known);
    }
    return known;
  }

  /** The size of a storage; -1 where it overflows, which no member has. */
  private static long bytes(Storage storage) {
    try {
      return Math.multiplyExact(storage.count(), (long) storage.dtype().bits() / Byte.SIZE);
    } catch (ArithmeticException e) {
      return -1;
    }
  }

  @Override
  public String name() {
    return archive.name();
  }

  @Override
  public List<StoredTensor> tensors() {
    return List.copyOf(tensors.values());
  }

  /**
   * Names the entries of the dictionary that are no tensors.
   *
   * @return an unmodifiable list, in the order of the file
   */
  public List<String> skipped() {
    return List.copyOf(skipped);
  }

  @Override
  public void close() throws IOException {
    archive.close();
  }
}
