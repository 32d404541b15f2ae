package io.matryoshka.sae.eval;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.internal.filetype.JsonRules;
import io.matryoshka.sae.internal.io.AtomicFile;
import io.matryoshka.sae.stream.RunSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The file that holds totals, and the settings that they belong to. It appears complete or not at
 * all.
 */
final class EvaluationCheckpoint {

  private static final int VERSION = 3;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path path;

  EvaluationCheckpoint(Path path) {
    this.path = path;
  }

  /** Replaces the file in one step, once its content is on the storage device. */
  void write(ObjectNode settings, Totals totals) throws IOException {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("evaluation_state", VERSION);
    json.set("settings", settings);
    json.set("totals", TotalsJson.write(totals));
    AtomicFile.write(path, JSON.writeValueAsBytes(json));
  }

  /**
   * Reads the file.
   *
   * @return its content, empty if there is no file
   * @throws EvaluationException if it is malformed or has other settings
   */
  Optional<Totals> read(ObjectNode settings, int[] widths, int dIn) throws IOException {
    if (!Files.exists(path)) {
      return Optional.empty();
    }
    JsonNode json = parse();
    JsonNode version = json.path("evaluation_state");
    if (version.isInt() && version.intValue() != VERSION) {
      throw new EvaluationException(
          "%s: is a saved evaluation of another version of this program (evaluation_state %d, expected %d); give another file, or delete this one to start again"
              .formatted(path, version.intValue(), VERSION));
    }
    if (version.asInt() != VERSION) {
      throw malformed("\"evaluation_state\": " + VERSION, null);
    }
    Optional<String> difference =
        RunSettings.difference(json.path("settings"), JSON.readTree(settings.toString()));
    if (difference.isPresent()) {
      throw new EvaluationException(
          ("%s: holds an evaluation with other settings: %s; give what it was started"
                  + " with, or another file, or delete this one")
              .formatted(path, difference.get()));
    }
    try {
      return Optional.of(TotalsJson.read(json.required("totals"), widths, dIn));
    } catch (IllegalArgumentException e) {
      throw malformed("whole totals (" + e.getMessage() + ")", e);
    }
  }

  private JsonNode parse() throws IOException {
    try {
      return JsonRules.STRICT.read(path);
    } catch (JsonProcessingException e) {
      throw malformed("JSON", e);
    }
  }

  /** What to throw when the content is not as expected. */
  EvaluationException malformed(String expected, Throwable cause) {
    return new EvaluationException(
        "%s: is not a saved evaluation: expected %s; delete it to start again"
            .formatted(path, expected),
        cause);
  }
}
