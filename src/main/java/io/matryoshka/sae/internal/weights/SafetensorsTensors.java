package io.matryoshka.sae.internal.weights;

import io.matryoshka.sae.internal.filetype.FileType;
import io.matryoshka.sae.internal.io.ByteSource;
import io.matryoshka.sae.safetensors.SafetensorsException;
import io.matryoshka.sae.safetensors.SafetensorsHeader;
import io.matryoshka.sae.safetensors.TensorInfo;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * The tensors of a safetensors file.
 *
 * @param source the bytes, closed with the file
 * @param tensors the tensors, in the order of their bytes
 */
public record SafetensorsTensors(ByteSource source, List<StoredTensor> tensors)
    implements TensorFile {

  /** Read first: enough for the header of most SAEs, so that it takes one request. */
  private static final int FIRST_BYTES = 1 << 14;

  /**
   * Reads the header of a file.
   *
   * @param source its bytes, closed with it, also where this method fails
   * @return the open file, to be closed by the caller
   * @throws SafetensorsException if the file is malformed
   * @throws IOException if it cannot be read
   */
  public static SafetensorsTensors open(ByteSource source) throws IOException {
    try {
      SafetensorsHeader header = header(source);
      List<StoredTensor> tensors = new ArrayList<>();
      for (TensorInfo info : header.tensors()) {
        tensors.add(tensor(info, source, header.dataOffset()));
      }
      return new SafetensorsTensors(source, List.copyOf(tensors));
    } catch (Throwable e) {
      source.close();
      throw e;
    }
  }

  private static StoredTensor tensor(TensorInfo info, ByteSource source, long dataOffset)
      throws SafetensorsException {
    try {
      return StoredTensor.rowMajor(
          info.name(), info.dtype(), info.shape(), source, dataOffset + info.begin());
    } catch (IllegalArgumentException e) {
      throw new SafetensorsException(source.name() + ": " + e.getMessage(), e);
    }
  }

  @Override
  public String name() {
    return source.name();
  }

  @Override
  public void close() throws IOException {
    source.close();
  }

  /**
   * Reads and checks the header of a file.
   *
   * @param source the bytes of the file
   * @return the header
   * @throws SafetensorsException if the file is no valid safetensors file
   * @throws IOException if it cannot be read
   */
  public static SafetensorsHeader header(ByteSource source) throws IOException {
    ByteBuffer start = ByteBuffer.allocate((int) Math.min(source.size(), FIRST_BYTES));
    source.read(0, start);
    FileType type = FileType.of(start.array());
    if (type != FileType.SAFETENSORS && type.problem().isPresent()) {
      throw new SafetensorsException(source.name() + ": " + type.problem().get());
    }
    int length = SafetensorsHeader.headerLength(start.flip(), source.name());
    long end = (long) SafetensorsHeader.LENGTH_BYTES + length;
    if (end > source.size()) {
      throw new SafetensorsException(
          "%s: header is said to end at byte %d, but the file has %d bytes; it is truncated or not a safetensors file"
              .formatted(source.name(), end, source.size()));
    }
    ByteBuffer header = ByteBuffer.allocate(length);
    header.put(
        start.slice(
            SafetensorsHeader.LENGTH_BYTES,
            Math.min(length, start.limit() - SafetensorsHeader.LENGTH_BYTES)));
    source.read(SafetensorsHeader.LENGTH_BYTES + header.position(), header);
    return SafetensorsHeader.parse(header.flip(), source.size() - end, source.name());
  }
}
