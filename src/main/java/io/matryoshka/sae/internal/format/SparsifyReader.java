package io.matryoshka.sae.internal.format;

import com.fasterxml.jackson.databind.JsonNode;
import io.matryoshka.sae.config.Architecture;
import io.matryoshka.sae.config.SaeConfig;
import io.matryoshka.sae.config.SaeFormatException;
import io.matryoshka.sae.config.TensorNames;
import io.matryoshka.sae.config.UnsupportedArchitectureException;
import io.matryoshka.sae.internal.filetype.JsonObjects;
import io.matryoshka.sae.internal.weights.StoredTensor;
import io.matryoshka.sae.internal.weights.TensorFile;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Reads TopK SAEs of sparsify: {@code b_dec} is subtracted, the encoder lies the other way round,
 * and the folder is named after the module that was hooked.
 *
 * @see <a href="https://github.com/EleutherAI/sparsify">sparsify, sparse_coder.py</a>
 */
final class SparsifyReader implements FormatReader {

  private static final String NAME = "sparsify";

  @Override
  public SaeConfig config(SaePlace place, SaeFormat.TensorSource tensors) throws IOException {
    JsonNode json = JsonObjects.read(place.config().orElseThrow(), SaeFormatException::new);
    String activation = json.path("activation").asText("topk");
    if (json.path("transcode").asBoolean() || json.path("skip_connection").asBoolean()) {
      throw unsupported(place, "a transcoder");
    }
    if (!activation.equals("topk")) {
      throw unsupported(place, "an SAE with activation '" + activation + "'");
    }
    int k = json.path("k").asInt(0);
    if (k < 1) {
      throw new SaeFormatException(
          place.config().orElseThrow() + ": field k: expected an integer of at least 1, got " + k);
    }
    String folder = place.name().substring(place.name().replace('\\', '/').lastIndexOf('/') + 1);
    try (TensorFile file = tensors.open()) {
      Tensors found = new Tensors(file, NAME);
      StoredTensor encoder = found.matrix("encoder.weight");
      int dIn = found.size(encoder, 1);
      return new Facts(
              Architecture.TOPK,
              dIn,
              dIn,
              found.size(encoder, 0),
              true,
              OptionalInt.of(k),
              Optional.of(folder),
              Optional.empty(),
              Optional.empty(),
              List.of(),
              Map.of())
          .config();
    }
  }

  private static UnsupportedArchitectureException unsupported(SaePlace place, String what) {
    return new UnsupportedArchitectureException(
        "%s: %s of sparsify is not supported; its TopK SAEs are"
            .formatted(place.config().orElseThrow(), what));
  }

  @Override
  public List<StoredTensor> tensors(TensorFile raw, SaeConfig config) throws IOException {
    Tensors found = new Tensors(raw, NAME);
    found.requireOnly(Set.of("encoder.weight", "encoder.bias", "W_dec", "b_dec"));
    return List.of(
        found.matrix("encoder.weight").transposed().named(TensorNames.W_ENC),
        found.get("encoder.bias").named(TensorNames.B_ENC),
        found.matrix("W_dec"),
        found.get("b_dec"));
  }
}
