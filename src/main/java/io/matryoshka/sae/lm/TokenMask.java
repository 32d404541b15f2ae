package io.matryoshka.sae.lm;

import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/** A mask of the rows of texts, which leaves out those of some tokens. */
public final class TokenMask {

  /** The name of the tensor. */
  public static final String TENSOR = "mask";

  private TokenMask() {}

  /**
   * Writes a mask: {@code int32 [rows]}, one number for each token of the texts in their order, 0
   * where its row is left out and 1 elsewhere.
   *
   * @param texts the texts
   * @param leftOut ids of the tokens to leave out
   * @param file the safetensors file to write
   * @throws IOException if it cannot be written
   */
  public static void write(List<Tokens> texts, Set<Integer> leftOut, Path file) throws IOException {
    int[] kept =
        texts.stream()
            .flatMapToInt(text -> Arrays.stream(text.ids()))
            .map(id -> leftOut.contains(id) ? 0 : 1)
            .toArray();
    try (SafetensorsWriter writer =
        SafetensorsWriter.builder().tensor(TENSOR, Dtype.I32, kept.length).create(file)) {
      writer.writeInts(TENSOR, kept);
      writer.finish();
    }
  }
}
