package io.matryoshka.sae.internal.weights;

import java.io.Closeable;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * A file of named tensors that is open for reading: safetensors, an archive of NumPy or one of
 * PyTorch. What is known of a tensor, and how it is read, is told by {@link StoredTensor}.
 */
public interface TensorFile extends Closeable {

  /**
   * Returns the name for messages.
   *
   * @return the path of the file, or its address
   */
  String name();

  /**
   * Returns the tensors.
   *
   * @return an unmodifiable list with one tensor of each name
   */
  List<StoredTensor> tensors();

  /**
   * Looks a tensor up.
   *
   * @param name its name
   * @return the tensor, or empty if there is none of that name
   */
  default Optional<StoredTensor> find(String name) {
    return tensors().stream().filter(tensor -> tensor.name().equals(name)).findFirst();
  }

  /** Closes the file. Its tensors can no longer be read; mapped buffers stay valid. */
  @Override
  void close() throws IOException;
}
