package io.matryoshka.sae.internal.serve.page;

import static io.matryoshka.sae.internal.serve.page.Answers.map;
import static io.matryoshka.sae.internal.serve.page.MadeText.WIDTHS;
import static io.matryoshka.sae.internal.serve.page.MadeText.made;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** What the stand-in says about one latent. */
record MadeLatent(Answers answers, int latent) {

  private static final String[] SENTENCE =
      "▁Mr ▁Darcy ▁walked ▁through ▁the ▁garden ▁and ▁said ▁nothing ▁more .".split(" ");

  static int level(int latent) {
    return (int) Arrays.stream(WIDTHS).filter(width -> latent >= width).count();
  }

  private static int firstOf(int level) {
    return level == 0 ? 0 : WIDTHS[level - 1];
  }

  private double number(int purpose) {
    return made("latent " + latent, purpose);
  }

  /** A latent of a level, another one for each purpose. */
  private MadeLatent other(int level, int purpose) {
    int size = WIDTHS[level] - firstOf(level);
    return new MadeLatent(answers, firstOf(level) + (int) (size * number(purpose)));
  }

  Map<String, Object> row() {
    return map(
        "latent",
        latent,
        "level",
        level(latent),
        "label",
        answers.labelOf(latent),
        "density",
        0.03 * number(1),
        "top_tokens",
        "▁garden ▁tree ▁leaf");
  }

  private Map<String, Object> named(double cosine) {
    return map(
        "latent",
        latent,
        "level",
        level(latent),
        "cosine",
        cosine,
        "label",
        answers.labelOf(latent),
        "promoted",
        " tree",
        "top_tokens",
        latent % 2 == 0 ? "▁garden ▁leaf" : null);
  }

  private Map<String, Object> family(int both) {
    return map(
        "latent",
        latent,
        "level",
        level(latent),
        "label",
        answers.labelOf(latent),
        "top_tokens",
        "▁garden ▁leaf",
        "both",
        both,
        "child_given_parent",
        0.4 * number(2),
        "parent_given_child",
        0.5 + 0.5 * number(3),
        "correlation",
        0.2 + 0.5 * number(4));
  }

  private List<Object> children(int purpose) {
    List<Object> found = new ArrayList<>();
    int level = level(latent) + 1;
    for (int i = 0; level < WIDTHS.length && i < 3; i++) {
      MadeLatent child = other(level, purpose + i);
      Map<String, Object> json = child.family(40 - 10 * i);
      json.put("children", child.children(purpose + 10));
      found.add(json);
    }
    return found;
  }

  private List<Object> nearest(int purpose) {
    return IntStream.range(0, 10)
        .mapToObj(i -> (Object) other(i % 4, purpose + i).named(0.7 - 0.05 * i))
        .toList();
  }

  private List<Object> logits(String words, double sign) {
    List<Object> found = new ArrayList<>();
    for (String word : words.split(" ")) {
      found.add(map("id", 9, "text", word, "logit", sign * (9 - found.size() * 0.7)));
    }
    return found;
  }

  private List<Object> contexts(double strongest, int count) {
    List<Object> found = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int at = (int) (SENTENCE.length * number(400 + i));
      double[] activations = new double[SENTENCE.length];
      activations[at] = strongest * (1 - 0.06 * i);
      activations[(at + 3) % SENTENCE.length] = strongest / 4;
      found.add(
          map(
              "tokens",
              Arrays.stream(SENTENCE).map(answers::contextToken).toList(),
              "activations",
              activations,
              "at",
              at,
              "repeats",
              1 + i % 3,
              "row",
              100 * i));
    }
    return found;
  }

  Map<String, Object> json() {
    List<Object> relatives = new ArrayList<>();
    List<Object> parents = new ArrayList<>();
    for (int level = 0; level < WIDTHS.length; level++) {
      int purpose = 500 + 10 * level;
      if (level != level(latent)) {
        int at = level;
        List<Object> latents =
            IntStream.range(0, 5)
                .mapToObj(i -> (Object) other(at, purpose + i).named(0.6 - 0.08 * i))
                .toList();
        relatives.add(map("level", level, "latents", latents));
      }
      if (level < level(latent)) {
        parents.add(other(level, purpose).family(210));
      }
    }
    return map(
        "sae",
        Answers.FIRST,
        "latent",
        latent,
        "level",
        level(latent),
        "label",
        answers.labelJson(latent),
        "neuronpedia",
        "https://www.neuronpedia.org/gemma-2-2b/12/" + latent,
        "threshold",
        0.8,
        "encoder_bias",
        -0.1,
        "decoder_norm",
        1.0,
        "published_density",
        0.0123,
        "logits",
        map(
            "promoted", logits("▁garden ▁tree ▁leaf ▁plant ▁flower ▁root ▁wood ▁seed", 1),
            "suppressed", logits("▁of ▁the ▁: ▁( ▁class ▁def ▁said ▁Mr", -0.8),
            "what", "the decoder row as if it were the last layer's residual stream"),
        "nearest",
        map("decoder", nearest(600), "encoder", nearest(620)),
        "relatives",
        relatives,
        "tree",
        map("parents", parents, "children", children(700)),
        "corpus",
        map(
            "source",
            "texts.txt",
            "rows",
            20000,
            "firings",
            412,
            "density",
            0.0206,
            "mean_activation",
            3.1,
            "max_activation",
            9.9,
            "histogram",
            map(
                "upper",
                10,
                "counts",
                new int[] {90, 75, 60, 48, 41, 30, 22, 18, 12, 7, 4, 3, 1, 1}),
            "contexts",
            contexts(9.9, 6),
            "examples",
            contexts(4.2, 6),
            "absorption",
            map(
                "tokens",
                100,
                "silent",
                12,
                "fraction",
                0.08,
                "full",
                0.02,
                "top_child",
                140,
                "top_child_tokens",
                9)),
        "same",
        Answers.same("latent"));
  }
}
