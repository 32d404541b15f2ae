package io.matryoshka.sae.internal.format;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.matryoshka.sae.config.Architecture;
import io.matryoshka.sae.config.SaeConfig;
import io.matryoshka.sae.config.SaeFormatException;
import io.matryoshka.sae.config.TensorNames;
import io.matryoshka.sae.config.UnsupportedArchitectureException;
import io.matryoshka.sae.internal.filetype.JsonObjects;
import io.matryoshka.sae.internal.weights.StoredTensor;
import io.matryoshka.sae.internal.weights.TensorFile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Reads Gemma Scope: JumpReLU, float32, {@code b_dec} not subtracted. Sizes come from the tensors.
 * What {@code config.json} does not say, the folder's name does ({@link GemmaScopePlaces}).
 *
 * <p>The affine skip connection of a transcoder is {@code y = f w_dec + b_dec + x A} with {@code A
 * [d_in, d_out]} as it lies in the file: the official tutorial has it so. SAELens 6.39 multiplies
 * with its transpose.
 */
final class GemmaScopeReader implements FormatReader {

  private static final String SKIP = "affine_skip_connection";
  private static final Set<String> KNOWN =
      Set.of("w_enc", "w_dec", "W_enc", "W_dec", "b_enc", "b_dec", "threshold", SKIP);

  private final String name;

  GemmaScopeReader(int version) {
    this.name = "Gemma Scope " + version;
  }

  @Override
  public SaeConfig config(SaePlace place, SaeFormat.TensorSource tensors) throws IOException {
    Map<String, Object> said = new LinkedHashMap<>();
    Optional<JsonNode> json = Optional.empty();
    if (place.config().isPresent()) {
      json = Optional.of(JsonObjects.read(place.config().get(), SaeFormatException::new));
      json.get()
          .properties()
          .forEach(
              field -> {
                if (field.getValue().isTextual() || field.getValue().isNumber()) {
                  said.put(field.getKey(), field.getValue().asText());
                }
              });
      requireRunnable(place, json.get());
    }
    GemmaScopePlaces places = GemmaScopePlaces.of(place.name(), json);
    try (TensorFile file = tensors.open()) {
      Tensors found = new Tensors(file, name);
      StoredTensor encoder = found.matrix("w_enc", "W_enc");
      StoredTensor decoder = found.matrix("w_dec", "W_dec");
      if (json.isPresent()) {
        requireAgreement(place, json.get(), found.size(encoder, 1), found.has(SKIP));
      }
      boolean transcoder = places.out().isPresent() || found.has(SKIP);
      Architecture architecture =
          found.has(SKIP)
              ? Architecture.JUMPRELU_SKIP_TRANSCODER
              : transcoder ? Architecture.JUMPRELU_TRANSCODER : Architecture.JUMPRELU;
      JsonNode l0 = json.map(node -> node.path("l0")).orElseGet(() -> missing());
      return new Facts(
              architecture,
              found.size(encoder, 0),
              found.size(decoder, 1),
              found.size(encoder, 1),
              false,
              l0.isInt() && l0.intValue() > 0 ? OptionalInt.of(l0.intValue()) : OptionalInt.empty(),
              places.in(),
              places.out(),
              places.model(),
              List.of(),
              said)
          .config();
    }
  }

  private static JsonNode missing() {
    return MissingNode.getInstance();
  }

  /** Files of two SAEs in one folder would load and compute something that nobody trained. */
  private static void requireAgreement(SaePlace place, JsonNode json, int dSae, boolean hasSkip)
      throws SaeFormatException {
    JsonNode width = json.path("width");
    if (width.isNumber() && width.longValue() != dSae) {
      throw new SaeFormatException(
          "%s: 'width' is %s, but the tensors have %d latents; the two files are not of one SAE"
              .formatted(place.config().orElseThrow(), width, dSae));
    }
    JsonNode affine = json.path("affine_connection");
    if (affine.isBoolean() && affine.booleanValue() != hasSkip) {
      throw new SaeFormatException(
          "%s: 'affine_connection' is %s, but the tensors %s '%s'; the two files are not of one SAE"
              .formatted(
                  place.config().orElseThrow(), affine, hasSkip ? "hold" : "do not hold", SKIP));
    }
    if (json.path("type").asText().equals("sae") && hasSkip) {
      throw new SaeFormatException(
          "%s: 'type' is sae, but the tensors hold '%s', which only transcoders have; the two files are not of one SAE"
              .formatted(place.config().orElseThrow(), SKIP));
    }
  }

  private void requireRunnable(SaePlace place, JsonNode json)
      throws SaeFormatException, UnsupportedArchitectureException {
    String architecture = json.path("architecture").asText("jump_relu");
    String type = json.path("type").asText("sae");
    if (!architecture.equals("jump_relu")) {
      throw new UnsupportedArchitectureException(
          "%s: architecture '%s' is not supported; an SAE of %s is of jump_relu"
              .formatted(place.config().orElseThrow(), architecture, name));
    }
    if (!Set.of("sae", "transcoder").contains(type)) {
      throw new UnsupportedArchitectureException(
          "%s: type '%s' is not supported; of %s, SAEs and transcoders of one layer run here"
              .formatted(place.config().orElseThrow(), type, name));
    }
  }

  @Override
  public List<StoredTensor> tensors(TensorFile raw, SaeConfig config) throws IOException {
    Tensors found = new Tensors(raw, name);
    found.requireOnly(KNOWN);
    List<StoredTensor> tensors = new ArrayList<>();
    tensors.add(found.matrix("w_enc", "W_enc").named(TensorNames.W_ENC));
    tensors.add(found.matrix("w_dec", "W_dec").named(TensorNames.W_DEC));
    tensors.add(found.get(TensorNames.B_ENC));
    tensors.add(found.get(TensorNames.B_DEC));
    tensors.add(found.get(TensorNames.THRESHOLD));
    if (found.has(SKIP)) {
      tensors.add(found.matrix(SKIP).named(TensorNames.W_SKIP));
    }
    return tensors;
  }
}
