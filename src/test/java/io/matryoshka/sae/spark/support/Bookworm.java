package io.matryoshka.sae.spark.support;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.lm.PackingOptions;
import io.matryoshka.sae.lm.TextFiles;
import io.matryoshka.sae.lm.Tokens;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import io.matryoshka.sae.support.SourceFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** The small language model of the project, an SAE that reads it, and documents for both. */
public final class Bookworm {

  private static final Path FOLDER = SourceFiles.PROJECT.resolve("releases/bookworm-3m");

  public static final Path MODEL = FOLDER.resolve("model");
  public static final Path SAE_FOLDER = FOLDER.resolve("blocks.5.hook_resid_post");
  public static final String SAE_HOOK = "blocks.5.hook_resid_post";
  public static final List<String> HOOKS = List.of("blocks.2.hook_resid_post", SAE_HOOK);

  /** Each document holds about 60 tokens. */
  private static final int CONTEXT_SIZE = 64;

  private Bookworm() {}

  /** Writes the texts of the release again and again, one on each line. */
  public static Path writeDocuments(Path file, int times) throws IOException {
    StringBuilder lines = new StringBuilder();
    JsonNode texts = new ObjectMapper().readTree(FOLDER.resolve("texts.json").toFile());
    for (int i = 0; i < times; i++) {
      texts.path("texts").forEach(text -> lines.append(text.path("text")).append('\n'));
    }
    return Files.writeString(file, lines);
  }

  /** Packs documents as a command would. */
  public static List<Tokens> contexts(LanguageModel model, Path documents) throws IOException {
    PackingOptions packing = PackingOptions.of(CONTEXT_SIZE, model.config());
    return TextFiles.contexts(List.of(documents), model, packing, Optional.of(CONTEXT_SIZE));
  }

  /** The values of a tensor in all files, one after the other. */
  public static float[] read(List<Path> files, String tensor) throws IOException {
    float[] all = new float[0];
    for (Path file : files) {
      try (SafetensorsFile open = SafetensorsFile.open(file)) {
        float[] next = open.readFloats(tensor);
        int before = all.length;
        all = Arrays.copyOf(all, before + next.length);
        System.arraycopy(next, 0, all, before, next.length);
      }
    }
    return all;
  }
}
