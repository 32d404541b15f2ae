package io.matryoshka.sae.internal.weights;

import io.matryoshka.sae.safetensors.SafetensorsException;
import io.matryoshka.sae.safetensors.SafetensorsHeader;
import io.matryoshka.sae.safetensors.TensorInfo;
import io.matryoshka.sae.store.ByteSource;
import java.io.IOException;
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
      SafetensorsHeader header = SafetensorsHeader.read(source);
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
}
