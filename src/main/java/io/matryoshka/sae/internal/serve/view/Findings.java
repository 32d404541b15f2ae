package io.matryoshka.sae.internal.serve.view;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Optional;

/** What is known of the latents from a corpus; fields as {@code explore --json} writes them. */
interface Findings {

  /** The number of tokens that count. */
  long rows();

  /** What was found about a latent; empty if it was not described. */
  Optional<ObjectNode> latent(int latent);

  /** The share of tokens on which a latent fires; NaN if unknown. */
  double density(int latent);

  /** A few words on which a latent is strongest; empty if unknown. */
  String topTokens(int latent);

  /** The same, empty where there are none. */
  default Optional<String> words(int latent) {
    return Optional.of(topTokens(latent)).filter(words -> !words.isEmpty());
  }
}
