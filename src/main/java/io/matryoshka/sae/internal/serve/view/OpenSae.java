package io.matryoshka.sae.internal.serve.view;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.Levels;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.lm.HookPoint;
import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.lm.PackingOptions;
import io.matryoshka.sae.lm.Tokens;
import io.matryoshka.sae.registry.SaeEntry;
import java.io.IOException;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/** An SAE that is open, its language model, and what is known of its latents. */
public final class OpenSae {

  private final SaeName name;
  private final SAE sae;
  private final Optional<OpenModel> model;
  private final String noModel;
  private final Optional<SaeEntry> entry;
  private final SaeLabels labels;
  private final Corpus corpus;

  /** Keeps what was computed of latents last asked for; none of it changes. */
  private final Map<Integer, ObjectNode> latents = new LastUsed<>(LatentView.KEPT);

  /**
   * A language model and how it is called.
   *
   * @param name for people
   * @param model the model
   */
  public record OpenModel(String name, LanguageModel model) {

    /**
     * Checks the parts.
     *
     * @param name for people
     * @param model the model
     */
    public OpenModel {
      Objects.requireNonNull(name, "name");
      Objects.requireNonNull(model, "model");
    }
  }

  /**
   * Joins what belongs together.
   *
   * @param name how the SAE is called
   * @param sae the SAE
   * @param model its language model, if there is one
   * @param noModel why there is none; empty if there is one
   * @param entry its entry in the registry, if it has one
   * @param labels its labels
   * @param corpus what is known from a corpus
   */
  public OpenSae(
      SaeName name,
      SAE sae,
      Optional<OpenModel> model,
      String noModel,
      Optional<SaeEntry> entry,
      SaeLabels labels,
      Corpus corpus) {
    this.name = Objects.requireNonNull(name, "name");
    this.sae = Objects.requireNonNull(sae, "sae");
    this.model = Objects.requireNonNull(model, "model");
    this.noModel = Objects.requireNonNull(noModel, "noModel");
    this.entry = Objects.requireNonNull(entry, "entry");
    this.labels = Objects.requireNonNull(labels, "labels");
    this.corpus = Objects.requireNonNull(corpus, "corpus");
  }

  SaeName name() {
    return name;
  }

  /**
   * Returns the SAE.
   *
   * @return the SAE, closed with the workspace
   */
  public SAE sae() {
    return sae;
  }

  Levels levels() {
    return Levels.of(sae);
  }

  Optional<OpenModel> openModel() {
    return model;
  }

  /** The language model, which views of texts need. */
  LanguageModel model() {
    return model
        .map(OpenModel::model)
        .orElseThrow(() -> new ViewException(ViewException.Kind.NO_MODEL, noModel));
  }

  Optional<SaeEntry> entry() {
    return entry;
  }

  SaeLabels labels() {
    return labels;
  }

  Corpus corpus() {
    return corpus;
  }

  Map<Integer, ObjectNode> latents() {
    return latents;
  }

  HookPoint hookPoint() {
    return HookPoint.of(sae);
  }

  HookPoint hookPointOut() {
    return HookPoint.parse(sae.hookPointOut().orElseThrow());
  }

  /** Makes tokens of a text, no more than the limits allow. */
  Tokens tokens(String text, Limits limits) throws IOException {
    if (text.isEmpty()) {
      throw ViewException.badRequest("the text is empty; expected at least one character");
    }
    if (text.length() > limits.textCharacters()) {
      throw ViewException.textTooLong("characters", text.length(), limits.textCharacters());
    }
    Tokens tokens = model().tokens(text);
    int most = mostTokens(limits);
    if (tokens.size() > most) {
      throw ViewException.textTooLong("tokens", tokens.size(), most);
    }
    return tokens;
  }

  private int mostTokens(Limits limits) {
    return Math.min(limits.textTokens(), model().config().maxPositions());
  }

  /** The ids that do not count in means: special ones, where the SAE was trained without them. */
  Set<Integer> uncounted() throws IOException {
    return PackingOptions.excludesSpecialTokens(sae) ? model().specialIds() : Set.of();
  }

  void requireLatent(int latent) {
    if (latent < 0 || latent >= sae.dSae()) {
      throw new ViewException(
          ViewException.Kind.NOT_FOUND,
          "there is no latent %d; %s has 0 to %d".formatted(latent, name.key(), sae.dSae() - 1));
    }
  }

  void requireOnePlace() {
    if (sae.isTranscoder()) {
      throw new ViewException(
          ViewException.Kind.DOES_NOT_FIT,
          name.key()
              + " is a transcoder: it reads one place of the model and writes another, so it cannot"
              + " stand in for the activations that it reads");
    }
  }

  /** Refuses an encoder, which predicts no next token. */
  void requireDecoder() {
    if (model().config().isEncoder()) {
      throw new ViewException(
          ViewException.Kind.DOES_NOT_FIT,
          "the model of %s is an encoder: it predicts no next token, so it has no losses and continues no text"
              .formatted(name.key()));
    }
  }

  /** What the page needs to know of the SAE before anything is computed. */
  ObjectNode json(Limits limits) {
    ObjectNode node = Json.object().put("key", name.key());
    Json.put(node, "release", name.release());
    Json.put(node, "sae_id", name.saeId());
    model.ifPresentOrElse(
        open ->
            node.putObject("model")
                .put("name", open.name())
                .put("encoder", open.model().config().isEncoder())
                .put("layers", open.model().config().layerCount())
                .put("vocabulary", open.model().config().vocabularySize())
                .put("text_tokens", mostTokens(limits)),
        () -> node.putNull("model"));
    node.put("no_model", model.isPresent() ? null : noModel);
    node.put("architecture", sae.config().architecture().key());
    node.put("transcoder", sae.isTranscoder());
    Json.put(node, "hook_point", sae.hookPoint());
    Json.put(node, "hook_point_out", sae.hookPointOut());
    node.put("layer", layer());
    node.put("d_in", sae.dIn()).put("d_out", sae.dOut()).put("d_sae", sae.dSae());
    sae.widths().forEach(node.putArray("widths")::add);
    ArrayNode array = node.putArray("levels");
    Levels levels = levels();
    for (int level = 0; level < levels.count(); level++) {
      array
          .addObject()
          .put("level", level)
          .put("from", levels.from(level))
          .put("to", levels.to(level));
    }
    node.put("neuronpedia", entry.flatMap(SaeEntry::neuronpediaId).isPresent());
    node.set("labels", labels.json());
    node.set("corpus", corpus.json());
    return node;
  }

  private Integer layer() {
    try {
      return hookPoint().layer();
    } catch (IllegalArgumentException e) {
      return null; // A place of a model that does not run here.
    }
  }
}
