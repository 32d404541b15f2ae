package io.matryoshka.sae.registry;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.function.Function;

/**
 * SAEs that differ in layer, width and L0 only: one for each combination of these, whose facts
 * follow from templates. In a template {@code {layer}}, {@code {width}}, {@code {l0}} and {@code
 * {variant}} stand for the values of one SAE.
 *
 * @param release the id of the release
 * @param locations where the folder of a path lies
 * @param id the template of the ids
 * @param path the template of the folders
 * @param hookPoint the template of the places that are read
 * @param hookPointOut the template of the places that transcoders predict
 * @param neuronpediaId the template of the names on Neuronpedia
 * @param format the name of the file format
 * @param dIn the width of a model activation
 * @param layers the layers, in the order of the entries
 * @param dSae the number of latents by the name of the width
 * @param l0 for each name of an L0, the number of active latents by the place of the layer in
 *     {@code layers}; the last number stands for all further layers
 * @param variants what may be added to a name; the empty text for nothing
 * @param training how all were trained, if known
 */
record SaeGrid(
    String release,
    Function<String, SaeLocation> locations,
    String id,
    String path,
    String hookPoint,
    Optional<String> hookPointOut,
    Optional<String> neuronpediaId,
    String format,
    int dIn,
    List<Integer> layers,
    Map<String, Integer> dSae,
    Map<String, List<Integer>> l0,
    List<String> variants,
    Optional<TrainingFacts> training) {

  SaeGrid {
    for (Map.Entry<String, List<Integer>> entry : l0.entrySet()) {
      int count = entry.getValue().size();
      if (count == 0 || count > layers.size()) {
        throw new IllegalArgumentException(
            "l0: expected 1 to %d numbers at '%s', one a layer, got %d"
                .formatted(layers.size(), entry.getKey(), count));
      }
    }
  }

  int size() {
    return layers.size() * dSae.size() * l0.size() * variants.size();
  }

  /** Makes the facts of one SAE; the last of the four choices changes fastest. */
  SaeEntry entry(int index) {
    int variant = index % variants.size();
    int size = index / variants.size();
    int width = size / l0.size() % dSae.size();
    int layer = size / l0.size() / dSae.size();
    String widthName = List.copyOf(dSae.keySet()).get(width);
    String l0Name = List.copyOf(l0.keySet()).get(size % l0.size());
    Function<String, String> fill =
        template ->
            template
                .replace("{layer}", String.valueOf(layers.get(layer)))
                .replace("{width}", widthName)
                .replace("{l0}", l0Name)
                .replace("{variant}", variants.get(variant));
    int latents = dSae.get(widthName);
    List<Integer> k = l0.get(l0Name);
    return new SaeEntry(
        release,
        fill.apply(id),
        locations.apply(fill.apply(path)),
        OptionalInt.of(layers.get(layer)),
        fill.apply(hookPoint),
        hookPointOut.map(fill),
        format,
        dIn,
        latents,
        List.of(latents),
        OptionalInt.of(k.get(Math.min(layer, k.size() - 1))),
        OptionalDouble.empty(),
        neuronpediaId.map(fill),
        OptionalDouble.empty(),
        training);
  }
}
