package io.matryoshka.sae.labels;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.matryoshka.sae.internal.filetype.JsonProblems;
import java.io.IOException;
import java.net.URI;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** Asks Neuronpedia's API for the label of one latent; it gives the best explanation first. */
final class NeuronpediaApi {

  private static final int MAX_BYTES = 16 << 20;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final LabelHttp http;
  private final URI base;
  private final String id;

  NeuronpediaApi(LabelHttp http, URI base, String id) {
    this.http = http;
    this.base = base;
    this.id = id;
  }

  Optional<Label> find(int latent) throws IOException {
    URI address = base.resolve("api/feature/" + id + "/" + latent);
    Optional<byte[]> answer = http.get(address, MAX_BYTES);
    if (answer.isEmpty()) {
      return Optional.empty();
    }
    try {
      JsonNode explanations = JSON.readTree(answer.get()).path("explanations");
      for (JsonNode explanation : explanations) {
        Map<String, String> fields = new HashMap<>();
        explanation.properties().stream()
            .filter(field -> field.getValue().isTextual())
            .forEach(field -> fields.put(field.getKey(), field.getValue().textValue()));
        fields.put("index", String.valueOf(latent));
        Optional<Label> label = ExplanationParser.label(fields, address.toString());
        if (label.isPresent()) {
          return label;
        }
      }
      return Optional.empty();
    } catch (JsonProcessingException e) {
      throw new LabelException(address + ": is not JSON: " + JsonProblems.describe(e), e);
    }
  }
}
