package io.matryoshka.sae.internal.cli;

import picocli.CommandLine.Option;

/** The option that leaves out rows of special tokens. */
final class SpecialTokensMixin {

  static final String NAME = "--skip-special-tokens";

  @Option(
      names = NAME,
      description =
          "Leave out the rows of special tokens of text, such as <bos>, also where the SAE does not"
              + " say that it was trained without them.")
  private boolean skips;

  /** Whether they are left out whatever an SAE says. */
  boolean skips() {
    return skips;
  }
}
