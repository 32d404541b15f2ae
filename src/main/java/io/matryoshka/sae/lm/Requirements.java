package io.matryoshka.sae.lm;

import io.matryoshka.sae.config.SaeConfig;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** What a model asks of texts, hook points and interventions. */
final class Requirements {

  private final String model;
  private final LanguageModelConfig config;

  Requirements(String model, LanguageModelConfig config) {
    this.model = model;
    this.config = config;
  }

  void require(Tokens tokens) {
    require(tokens, "the text");
  }

  /** Checks texts, which a message tells apart by where they come from, else by their number. */
  void require(List<Tokens> texts) {
    for (int i = 0; i < texts.size(); i++) {
      require(texts.get(i), texts.size() == 1 ? "the text" : numbered(i));
    }
  }

  /** How messages call one of several texts. */
  static String numbered(int text) {
    return "text %d (counted from 0)".formatted(text);
  }

  private void require(Tokens tokens, String nameless) {
    String name = tokens.origin().orElse(nameless);
    if (tokens.size() == 0) {
      throw new IllegalArgumentException(name + " is empty; expected at least one token");
    }
    if (tokens.size() > config.maxPositions()) {
      throw new IllegalArgumentException(
          "%s has %d tokens; %s takes at most %d: cut it into several texts"
              .formatted(name, tokens.size(), model, config.maxPositions()));
    }
    requireIds(tokens, name);
  }

  /** Checks that the model knows all tokens of a text, however long it is. */
  void requireIds(Tokens tokens, String name) {
    for (int i = 0; i < tokens.size(); i++) {
      if (tokens.id(i) >= config.vocabularySize()) {
        throw new IllegalArgumentException(
            "%s: token id %d at position %d is out of range; %s has ids 0 to %d"
                .formatted(name, tokens.id(i), i, model, config.vocabularySize() - 1));
      }
    }
  }

  void requireContext(int tokens) {
    if (tokens > config.maxPositions()) {
      throw new IllegalArgumentException(
          "contexts of %d tokens: %s takes at most %d"
              .formatted(tokens, model, config.maxPositions()));
    }
  }

  /** Refuses encoders, which predict no next token. */
  void requireDecoder(String wanted) {
    if (config.isEncoder()) {
      throw new IllegalArgumentException(
          "%s is an encoder (%s): each of its tokens sees the whole text and it predicts no next one, so it has no %s; read its activations instead"
              .formatted(model, config.modelType(), wanted));
    }
  }

  void require(HookPoint point) {
    if (point.site() == Site.LOGITS) {
      requireDecoder("logits");
    }
    if (!point.site().isOf(config)) {
      throw new IllegalArgumentException(
          "hook point %s: %s (%s) has no such place; expected one of %s"
              .formatted(point, model, config.modelType(), places()));
    }
    if (point.layer() >= config.layerCount()) {
      throw new IllegalArgumentException(
          "hook point %s: %s has layers 0 to %d".formatted(point, model, config.layerCount() - 1));
    }
  }

  /**
   * Reads the name of a place of this model.
   *
   * @throws IllegalArgumentException if there is none of this name, or it is a module path of
   *     another family, in which the same words may mean another place
   */
  HookPoint parse(String name) {
    HookPoint point = HookPoint.parse(name);
    if (config.isEncoder() ? HookPoint.isPathInGemma(name) : HookPoint.isPathInBert(name)) {
      throw new IllegalArgumentException(
          "hook point %s: %s (%s) has no module of this path; expected %s.N.… or a name such as blocks.N.hook_resid_post"
              .formatted(
                  name,
                  model,
                  config.modelType(),
                  config.isEncoder() ? "encoder.layer" : "model.layers"));
    }
    require(point);
    return point;
  }

  /** The names of all places, with N for the layer. */
  private String places() {
    return Arrays.stream(Site.values())
        .filter(site -> site.isOf(config))
        .map(site -> new HookPoint(0, site).toString().replace(".0.", ".N."))
        .collect(Collectors.joining(", "));
  }

  void require(Intervention intervention) {
    HookPoint point = intervention.hookPoint();
    require(point);
    intervention.sae().ifPresent(sae -> require(sae.config(), point));
  }

  /** Checks that an SAE reads rows of the width at a place of this model. */
  void require(SaeConfig sae, HookPoint point) {
    String described =
        "the SAE (%sd_in %d) does not fit the model %s"
            .formatted(
                sae.modelName().map(name -> "of the model " + name + ", ").orElse(""),
                sae.dIn(),
                model);
    if (sae.dIn() != width(point.site())) {
      throw new IllegalArgumentException(
          "%s, whose width at %s is %d".formatted(described, point, width(point.site())));
    }
    try {
      require(point);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(described + ": " + e.getMessage(), e);
    }
  }

  /** Checks that an SAE fits this model at the place that its configuration names. */
  void require(SaeConfig sae) {
    HookPoint point = HookPoint.of(sae);
    require(sae, point);
    sae.hookPoint().ifPresent(this::parse);
  }

  /** The width of a row at a place. */
  int width(Site site) {
    return switch (site) {
      case Z -> config.heads() * config.headDim();
      case MLP_POST -> config.intermediateSize();
      case LOGITS -> config.vocabularySize();
      default -> config.hiddenSize();
    };
  }
}
