package io.matryoshka.sae.internal.npz;

import io.matryoshka.sae.internal.weights.StoredTensor;
import io.matryoshka.sae.internal.weights.TensorFile;
import io.matryoshka.sae.internal.zip.ZipArchive;
import io.matryoshka.sae.internal.zip.ZipMember;
import io.matryoshka.sae.npy.NpyException;
import io.matryoshka.sae.npy.NpyLayout;
import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.store.ByteSource;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A NumPy archive that is open for reading. The name of an array is that of its member. */
public final class NpzFile implements TensorFile {

  private static final String SUFFIX = ".npy";

  private static final Map<String, Dtype> DTYPES =
      Map.ofEntries(
          Map.entry("f8", Dtype.F64),
          Map.entry("f4", Dtype.F32),
          Map.entry("f2", Dtype.F16),
          Map.entry("i8", Dtype.I64),
          Map.entry("i4", Dtype.I32),
          Map.entry("i2", Dtype.I16),
          Map.entry("i1", Dtype.I8),
          Map.entry("u8", Dtype.U64),
          Map.entry("u4", Dtype.U32),
          Map.entry("u2", Dtype.U16),
          Map.entry("u1", Dtype.U8),
          Map.entry("b1", Dtype.BOOL));

  private final ZipArchive archive;
  private final List<StoredTensor> tensors = new ArrayList<>();

  private NpzFile(ZipArchive archive) {
    this.archive = archive;
  }

  /**
   * Opens an archive.
   *
   * @param source its bytes, closed with it, also where this method fails
   * @return the open file, to be closed by the caller
   * @throws NpyException if an array is malformed, or of a kind that is not read
   * @throws IOException if the archive is malformed or cannot be read
   */
  public static NpzFile open(ByteSource source) throws IOException {
    try {
      NpzFile file = new NpzFile(ZipArchive.open(source));
      for (ZipMember member : file.archive.members()) {
        file.add(member);
      }
      return file;
    } catch (Throwable e) {
      source.close();
      throw e;
    }
  }

  private void add(ZipMember member) throws IOException {
    String where = name() + ": " + member.name();
    if (!member.name().endsWith(SUFFIX)) {
      throw new NpyException(where + ": expected only members that end with " + SUFFIX);
    }
    String name = member.name().substring(0, member.name().length() - SUFFIX.length());
    NpyLayout layout = NpyLayout.parse(archive.readStart(member, NpyLayout.MAX_START_BYTES), where);
    Dtype dtype = DTYPES.get(layout.descr().substring(1));
    if (dtype == null) {
      throw new NpyException(where + ": dtype '" + layout.descr() + "' is not read");
    }
    ZipArchive.Content content = archive.content(member);
    try {
      tensors.add(tensor(name, dtype, layout, content, member.size()));
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw new NpyException(where + ": " + e.getMessage(), e);
    }
  }

  private static StoredTensor tensor(
      String name, Dtype dtype, NpyLayout layout, ZipArchive.Content content, long size) {
    long[] shape = layout.shape();
    long[] inFile = layout.fortranOrder() ? reversed(shape) : shape;
    StoredTensor stored =
        new StoredTensor(
            name,
            dtype,
            layout.order(),
            inFile,
            StoredTensor.rowMajor(inFile),
            content.source(),
            content.position() + layout.dataOffset());
    long found = size - layout.dataOffset();
    if (stored.spanBytes() != found) {
      throw new IllegalArgumentException(
          stored + " takes " + stored.spanBytes() + " bytes, but " + found + " follow the header");
    }
    return layout.fortranOrder() ? stored.transposed() : stored;
  }

  private static long[] reversed(long[] shape) {
    long[] reversed = new long[shape.length];
    for (int i = 0; i < shape.length; i++) {
      reversed[i] = shape[shape.length - 1 - i];
    }
    return reversed;
  }

  @Override
  public String name() {
    return archive.name();
  }

  @Override
  public List<StoredTensor> tensors() {
    return List.copyOf(tensors);
  }

  @Override
  public void close() throws IOException {
    archive.close();
  }
}
