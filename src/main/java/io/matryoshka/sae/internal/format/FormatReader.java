package io.matryoshka.sae.internal.format;

import io.matryoshka.sae.config.SaeConfig;
import io.matryoshka.sae.internal.weights.StoredTensor;
import io.matryoshka.sae.internal.weights.TensorFile;
import java.io.IOException;
import java.util.List;

/** What is particular to a format. */
interface FormatReader {

  /** Reads the configuration. */
  SaeConfig config(SaePlace place, SaeFormat.TensorSource tensors) throws IOException;

  /** Names the tensors as SAELens does, and turns those that lie the other way round. */
  List<StoredTensor> tensors(TensorFile raw, SaeConfig config) throws IOException;
}
