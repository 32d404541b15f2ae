package io.matryoshka.sae.internal.spark.job;

/**
 * Where the activations of texts are stored, and how.
 *
 * @param folder a path or URI that all hosts see
 * @param bfloat16 whether they are rounded to bfloat16
 * @param tokensPerFile tokens of each file and task
 * @param keeps whether they stay after the job that read them
 * @param skipsSpecialTokens whether rows of special tokens are left out whatever the SAE says
 */
public record TextSettings(
    String folder, boolean bfloat16, int tokensPerFile, boolean keeps, boolean skipsSpecialTokens) {

  /** Checks the number of tokens. */
  public TextSettings {
    if (tokensPerFile < 1) {
      throw new IllegalArgumentException(
          "tokens per file: expected at least 1, got " + tokensPerFile);
    }
  }
}
