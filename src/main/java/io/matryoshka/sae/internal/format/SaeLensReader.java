package io.matryoshka.sae.internal.format;

import io.matryoshka.sae.config.SaeConfig;
import io.matryoshka.sae.config.TensorNames;
import io.matryoshka.sae.internal.weights.StoredTensor;
import io.matryoshka.sae.internal.weights.TensorFile;
import java.io.IOException;
import java.util.List;

/** Reads folders that SAELens saved. Its skip connection is {@code [d_out, d_in]}. */
final class SaeLensReader implements FormatReader {

  @Override
  public SaeConfig config(SaePlace place, SaeFormat.TensorSource tensors) throws IOException {
    return SaeConfig.read(place.config().orElseThrow(), place.runner(), place.dtype());
  }

  @Override
  public List<StoredTensor> tensors(TensorFile raw, SaeConfig config) {
    return raw.tensors().stream()
        .map(t -> t.name().equals(TensorNames.W_SKIP) ? t.transposed() : t)
        .toList();
  }
}
