package io.matryoshka.sae.internal.serve.view;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * What one call may ask for.
 *
 * @param textCharacters UTF-16 units of a text
 * @param textTokens tokens of a text; a model with fewer positions sets less
 * @param newTokens tokens of a continuation
 * @param edits changes of latents in one run
 * @param bodyBytes bytes of a request
 * @param waitingCalls calls that wait for their turn
 * @param streams continuations that are generated at the same time
 * @param labelCharacters UTF-16 units of a label
 */
public record Limits(
    int textCharacters,
    int textTokens,
    int newTokens,
    int edits,
    int bodyBytes,
    int waitingCalls,
    int streams,
    int labelCharacters) {

  /**
   * Returns the limits of the command.
   *
   * @return what one person with a few open pages does not reach
   */
  public static Limits defaults() {
    return new Limits(8000, 512, 200, 32, 1 << 16, 64, 4, 2000);
  }

  ObjectNode json() {
    return JsonNodeFactory.instance
        .objectNode()
        .put("text_characters", textCharacters)
        .put("text_tokens", textTokens)
        .put("new_tokens", newTokens)
        .put("edits", edits)
        .put("body_bytes", bodyBytes)
        .put("waiting_calls", waitingCalls)
        .put("streams", streams)
        .put("label_characters", labelCharacters);
  }
}
