package io.matryoshka.sae.internal.spark.job;

import io.matryoshka.sae.lm.ActivationExport;
import io.matryoshka.sae.lm.Tokens;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The texts of one file of activations, by their ids.
 *
 * @param index the number of the file
 * @param ids of each text
 */
public record TextShard(int index, int[][] ids) implements Serializable {

  /**
   * Cuts texts into files of whole parts, so that values are those of one file of all texts.
   *
   * @param tokensPerFile a file ends with the part that reaches this number
   */
  static List<TextShard> cut(List<Tokens> texts, int tokensPerFile) {
    List<TextShard> shards = new ArrayList<>();
    List<Tokens> file = new ArrayList<>();
    long tokens = 0;
    for (List<Tokens> part : ActivationExport.parts(texts)) {
      file.addAll(part);
      tokens += part.stream().mapToLong(Tokens::size).sum();
      if (tokens >= tokensPerFile) {
        shards.add(of(shards.size(), file));
        file.clear();
        tokens = 0;
      }
    }
    if (!file.isEmpty()) {
      shards.add(of(shards.size(), file));
    }
    return shards;
  }

  private static TextShard of(int index, List<Tokens> texts) {
    return new TextShard(index, texts.stream().map(Tokens::ids).toArray(int[][]::new));
  }

  List<Tokens> texts() {
    return Arrays.stream(ids).map(Tokens::of).toList();
  }

  String fileName() {
    return ActivationExport.fileName(index);
  }
}
