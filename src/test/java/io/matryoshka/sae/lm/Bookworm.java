package io.matryoshka.sae.lm;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import io.matryoshka.sae.support.SourceFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The bundled language model and what transformers and SAELens compute with it. */
final class Bookworm {

  static final String RELEASE = "bookworm-3m-res-matryoshka-demo";
  static final String SAE_ID = "blocks.5.hook_resid_post";
  static final HookPoint HOOK = HookPoint.residPost(5);
  static final Path FOLDER = SourceFiles.PROJECT.resolve("releases/bookworm-3m");
  static final Path MODEL = FOLDER.resolve("model");

  private static final Path REFERENCE =
      SourceFiles.PROJECT.resolve("src/test/resources/lm/bookworm-3m/reference.safetensors");

  private Bookworm() {}

  static LanguageModel model() throws IOException {
    return LanguageModel.load(MODEL);
  }

  static SafetensorsFile reference() throws IOException {
    return SafetensorsFile.open(REFERENCE);
  }

  /** The held-out texts and continuations. */
  static JsonNode texts() throws IOException {
    return new ObjectMapper().readTree(FOLDER.resolve("texts.json").toFile());
  }

  static List<Tokens> tokens() throws IOException {
    List<Tokens> tokens = new ArrayList<>();
    for (JsonNode text : texts().get("texts")) {
      tokens.add(Tokens.of(ints(text.get("ids"))));
    }
    return tokens;
  }

  static int[] ints(JsonNode array) {
    int[] ints = new int[array.size()];
    for (int i = 0; i < ints.length; i++) {
      ints[i] = array.get(i).intValue();
    }
    return ints;
  }
}
