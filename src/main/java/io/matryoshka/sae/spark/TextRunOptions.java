package io.matryoshka.sae.spark;

import io.matryoshka.sae.internal.spark.job.TextSettings;

/**
 * How texts go through a language model on a cluster. Immutable; each method returns a changed
 * copy.
 *
 * @param bfloat16 whether activations are rounded to bfloat16, which halves the files
 * @param tokensPerFile tokens of each file and task, rounded up to what goes through the model
 *     together
 * @param keepsActivations whether an evaluation leaves its activations where they are
 * @param skipsSpecialTokens whether an evaluation leaves out rows of special tokens whatever the
 *     SAE says of its training
 */
public record TextRunOptions(
    boolean bfloat16, int tokensPerFile, boolean keepsActivations, boolean skipsSpecialTokens) {

  /**
   * Checks the number of tokens.
   *
   * @param bfloat16 whether activations are rounded
   * @param tokensPerFile at least 1
   * @param keepsActivations whether activations stay
   * @param skipsSpecialTokens whether rows of special tokens are left out in any case
   */
  public TextRunOptions {
    if (tokensPerFile < 1) {
      throw new IllegalArgumentException(
          "tokens per file: expected at least 1, got " + tokensPerFile);
    }
  }

  /**
   * Returns the defaults: float32, 65,536 tokens a file, activations deleted after an evaluation,
   * special tokens left out where the SAE was trained without them.
   *
   * @return the defaults
   */
  public static TextRunOptions defaults() {
    return new TextRunOptions(false, 1 << 16, false, false);
  }

  /**
   * Sets whether activations are rounded to bfloat16. The figures of an evaluation are those of the
   * rounded activations then, not those of one machine.
   *
   * @param round true for files of half the size
   * @return changed options
   */
  public TextRunOptions bfloat16(boolean round) {
    return new TextRunOptions(round, tokensPerFile, keepsActivations, skipsSpecialTokens);
  }

  /**
   * Sets the size of files and tasks.
   *
   * @param tokens at least 1
   * @return changed options
   */
  public TextRunOptions tokensPerFile(int tokens) {
    return new TextRunOptions(bfloat16, tokens, keepsActivations, skipsSpecialTokens);
  }

  /**
   * Sets whether an evaluation leaves its activations where they are.
   *
   * @param keep true to leave them
   * @return changed options
   */
  public TextRunOptions keepActivations(boolean keep) {
    return new TextRunOptions(bfloat16, tokensPerFile, keep, skipsSpecialTokens);
  }

  /**
   * Sets whether an evaluation leaves out rows of special tokens whatever the SAE says.
   *
   * @param skip true to leave them out
   * @return changed options
   */
  public TextRunOptions skipSpecialTokens(boolean skip) {
    return new TextRunOptions(bfloat16, tokensPerFile, keepsActivations, skip);
  }

  /** Returns the same for activations in a folder. */
  TextSettings settings(String folder) {
    return new TextSettings(folder, bfloat16, tokensPerFile, keepsActivations, skipsSpecialTokens);
  }
}
