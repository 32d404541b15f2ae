package io.matryoshka.sae.internal.serve.view;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Optional;

/** The parents of a latent, and its children down to the last level, by firing in a corpus. */
final class LatentTree {

  /** Bounds the tree where levels are many. */
  private static final int MOST_NODES = 200;

  private final OpenSae open;
  private final Findings findings;
  private int nodes;

  LatentTree(OpenSae open, Findings findings) {
    this.open = open;
    this.findings = findings;
  }

  Optional<ObjectNode> of(int latent) {
    return findings
        .latent(latent)
        .map(
            found -> {
              ObjectNode tree = Json.object();
              ArrayNode parents = tree.putArray("parents");
              found.path("parents").forEach(pair -> parents.add(relative(pair)));
              tree.set("children", children(found));
              return tree;
            });
  }

  private ArrayNode children(ObjectNode found) {
    ArrayNode children = Json.array();
    for (JsonNode pair : found.path("children")) {
      if (++nodes > MOST_NODES) {
        break;
      }
      ObjectNode child = relative(pair);
      child.set(
          "children",
          findings.latent(pair.path("latent").intValue()).map(this::children).orElse(Json.array()));
      children.add(child);
    }
    return children;
  }

  private ObjectNode relative(JsonNode pair) {
    int latent = pair.path("latent").intValue();
    ObjectNode node = Json.object().put("latent", latent);
    node.put("level", open.levels().of(latent));
    Json.put(node, "label", open.labels().text(latent));
    Json.put(node, "top_tokens", findings.words(latent));
    node.set("both", pair.get("both"));
    node.set("child_given_parent", pair.get("p_child_given_parent"));
    node.set("parent_given_child", pair.get("p_parent_given_child"));
    node.set("correlation", pair.get("correlation"));
    return node;
  }
}
