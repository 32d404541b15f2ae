package io.matryoshka.sae.internal.serve.view;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.labels.Label;
import io.matryoshka.sae.labels.LabelFile;
import io.matryoshka.sae.labels.Labels;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;

/**
 * The labels of the latents of one SAE: the user's own, which can be changed, and those of others.
 *
 * @param own the user's file, if there can be one
 * @param reason why there is none; empty if there is one
 * @param others labels that stand where the user has none; they look nothing up on a network
 */
public record SaeLabels(Optional<LabelFile> own, String reason, Labels others) {

  /**
   * Checks the parts.
   *
   * @param own the user's file
   * @param reason why there is none
   * @param others labels of others
   */
  public SaeLabels {
    Objects.requireNonNull(own, "own");
    Objects.requireNonNull(reason, "reason");
    Objects.requireNonNull(others, "others");
  }

  Optional<Label> find(int latent) {
    return own.flatMap(file -> file.find(latent)).or(() -> others.find(latent));
  }

  Optional<String> text(int latent) {
    return find(latent).map(Label::text);
  }

  void put(int latent, String text) throws IOException {
    file().put(latent, text);
  }

  void remove(int latent) throws IOException {
    file().remove(latent);
  }

  private LabelFile file() {
    return own.orElseThrow(() -> new ViewException(ViewException.Kind.NO_LABEL_FILE, reason));
  }

  /** The label of a latent, or null. */
  void json(ObjectNode node, int latent) {
    Optional<Label> mine = own.flatMap(file -> file.find(latent));
    Optional<Label> found = mine.or(() -> others.find(latent));
    if (found.isEmpty()) {
      node.putNull("label");
      return;
    }
    String by = found.get().provenance();
    node.putObject("label")
        .put("text", found.get().text())
        .put("provenance", mine.isPresent() ? source() : by.isEmpty() ? others.source() : by)
        .put("own", mine.isPresent());
  }

  ObjectNode json() {
    ObjectNode node = Json.object();
    node.put("count", own.map(file -> file.all().size()).orElse(0));
    node.put("source", own.isPresent() ? source() : null);
    node.put("editable", own.isPresent());
    node.put("reason", own.isPresent() ? null : reason);
    return node;
  }

  private String source() {
    return own.map(file -> Path.of(file.source()).getFileName().toString()).orElse("");
  }
}
