package io.matryoshka.sae.internal.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.internal.filetype.JsonProblems;
import io.matryoshka.sae.internal.filetype.JsonRules;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The files of sparse latents that a path stands for.
 *
 * @param files one file, or the shards of a run in the order of their rows
 * @param shape the shape of all rows together, without d_in
 * @param rows the number of rows
 */
record LatentFiles(List<Path> files, long[] shape, long rows) {

  private static final String INDEX = "index.json";

  /** Looks at a file, or at a folder that a finished encode run has left. */
  static LatentFiles of(Path input) throws IOException {
    if (!Files.isDirectory(input)) {
      SparseLatents latents = SparseLatents.load(input);
      return new LatentFiles(List.of(input), latents.leadingShape(), latents.rows());
    }
    Path index = input.resolve(INDEX);
    if (!Files.exists(index)) {
      throw new NoSuchFileException(
          index.toString(), null, "expected the folder of an encode run that has finished");
    }
    try {
      JsonNode root = JsonRules.STRICT.read(index);
      List<Path> shards = new ArrayList<>();
      for (JsonNode shard : root.path("shards")) {
        shards.add(input.resolve(Path.of(shard.path("file").asText()).getFileName()));
      }
      long rows = root.path("rows").asLong();
      return new LatentFiles(shards, new long[] {rows}, rows);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(JsonProblems.describe(index.toString(), e), e);
    }
  }
}
