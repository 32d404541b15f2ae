package io.matryoshka.sae.lm;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.internal.filetype.JsonProblems;
import io.matryoshka.sae.internal.filetype.JsonRules;
import io.matryoshka.sae.internal.io.AtomicFile;
import io.matryoshka.sae.stream.RunSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** The file that holds the sums of losses, and the settings that they belong to. */
final class SpliceCheckpoint {

  private static final int VERSION = 2;
  private static final String STATE = "loss_state";
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path path;
  private final ObjectNode settings;

  SpliceCheckpoint(Path path, ObjectNode settings) {
    this.path = path;
    this.settings = settings;
  }

  /** Replaces the file in one step. */
  void write(SpliceTotals totals) throws IOException {
    ObjectNode root = JSON.createObjectNode().put(STATE, VERSION);
    root.set("settings", settings);
    totals.addTo(root);
    AtomicFile.write(path, JSON.writeValueAsBytes(root));
  }

  /** Reads what an earlier run has left; nothing if there is no such file. */
  SpliceTotals read(int runs) throws IOException {
    if (!Files.exists(path)) {
      return new SpliceTotals(runs);
    }
    JsonNode root = parse();
    if (root.path(STATE).asInt() != VERSION) {
      throw refusal(
          "is no checkpoint of losses that this version of the program reads (expected \"%s\": %d)"
              .formatted(STATE, VERSION));
    }
    // Read back, so that numbers have the node types of a file.
    JsonNode now = JSON.readTree(settings.toString());
    Optional<String> difference = RunSettings.difference(root.path("settings"), now);
    if (difference.isPresent()) {
      throw refusal("is the checkpoint of a run with other settings: " + difference.get());
    }
    return SpliceTotals.read(root, runs).orElseThrow(() -> refusal("is damaged"));
  }

  private JsonNode parse() throws IOException {
    try {
      return JsonRules.STRICT.read(path);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(
          path + " is no checkpoint: " + JsonProblems.describe(e), e);
    }
  }

  private IllegalArgumentException refusal(String what) {
    return new IllegalArgumentException(
        path + " " + what + "; name another file, or delete this one");
  }
}
