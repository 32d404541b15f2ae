package io.matryoshka.sae.registry;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads a grid of SAEs; docs/data-formats.md describes the format. */
final class SaeGridReader {

  private static final Set<String> FIELDS =
      Set.of(
          "id",
          "path",
          "hook_point",
          "hook_point_out",
          "neuronpedia_id",
          "format",
          "d_in",
          "layers",
          "latents",
          "l0",
          "variants",
          "training");

  /** The most layers that a grid may name; no model has as many. */
  private static final int MAX_LAYERS = 1000;

  private static final Pattern LAYERS = Pattern.compile("(\\d{1,3})(?:-(\\d{1,3}))?");

  private SaeGridReader() {}

  static SaeGrid read(String release, Function<String, SaeLocation> locations, JsonFields grid)
      throws RegistryException {
    grid.requireOnly(FIELDS);
    List<String> variants = grid.optionalTexts("variants");
    Optional<JsonFields> training = grid.optionalObject("training");
    try {
      SaeGrid read =
          new SaeGrid(
              release,
              locations,
              grid.text("id"),
              grid.text("path"),
              grid.text("hook_point"),
              grid.optionalText("hook_point_out"),
              grid.optionalText("neuronpedia_id"),
              grid.optionalText("format").orElse(SaeEntry.DEFAULT_FORMAT),
              grid.integer("d_in"),
              layers(grid.text("layers")),
              grid.integersByName("latents"),
              grid.integerListsByName("l0"),
              variants.isEmpty() ? List.of("") : variants,
              training.isEmpty()
                  ? Optional.empty()
                  : Optional.of(RegistryReader.readTraining(training.get())));
      if (read.size() > 0) {
        read.entry(0); // finds faults of the templates and sizes
      }
      return read;
    } catch (IllegalArgumentException e) {
      throw grid.problem(e);
    }
  }

  /** Reads layers such as {@code 0-25} or {@code 7,13,17,22}. */
  private static List<Integer> layers(String text) {
    Set<Integer> layers = new LinkedHashSet<>();
    for (String part : text.split(",", -1)) {
      Matcher matcher = LAYERS.matcher(part.strip());
      if (!matcher.matches()) {
        throw new IllegalArgumentException(
            "layers: expected numbers and ranges such as 0-25 or 7,13, got "
                + Messages.quote(text));
      }
      int first = Integer.parseInt(matcher.group(1));
      int last = matcher.group(2) == null ? first : Integer.parseInt(matcher.group(2));
      for (int layer = first; layer <= last && layers.size() < MAX_LAYERS; layer++) {
        layers.add(layer);
      }
    }
    return new ArrayList<>(layers);
  }
}
