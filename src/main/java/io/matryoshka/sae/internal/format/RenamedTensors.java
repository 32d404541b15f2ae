package io.matryoshka.sae.internal.format;

import io.matryoshka.sae.internal.weights.StoredTensor;
import io.matryoshka.sae.internal.weights.TensorFile;
import java.io.IOException;
import java.util.List;

/**
 * The tensors of a file under other names.
 *
 * @param file the file, closed with this one
 * @param tensors views of its tensors
 */
record RenamedTensors(TensorFile file, List<StoredTensor> tensors) implements TensorFile {

  @Override
  public String name() {
    return file.name();
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
