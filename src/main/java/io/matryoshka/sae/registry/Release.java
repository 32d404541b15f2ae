package io.matryoshka.sae.registry;

import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * A set of SAEs that were trained and published together.
 *
 * @param id the name of the release, unique in a registry
 * @param description one sentence on what it is
 * @param model the short name of the model whose activations the SAEs read
 * @param modelRepo the repository of that model on the Hugging Face Hub, as {@code owner/name};
 *     empty if unknown
 * @param modelLocation the folder of that model, where the release brings one; empty otherwise
 * @param saes the SAEs, in the order of the file; at least one
 */
public record Release(
    String id,
    String description,
    String model,
    Optional<String> modelRepo,
    Optional<SaeLocation> modelLocation,
    List<SaeEntry> saes) {

  /**
   * Checks the parts and copies the list.
   *
   * @param id the name of the release
   * @param description one sentence on what it is
   * @param model the short name of the model
   * @param modelRepo the repository of the model, if known
   * @param modelLocation the folder of the model, if the release brings one
   * @param saes the SAEs, at least one
   * @throws IllegalArgumentException if a text is blank, there is no SAE, two share an id, or one
   *     names another release
   */
  public Release {
    Checks.requireText(id, "release");
    Checks.requireText(description, "description");
    Checks.requireText(model, "model");
    Objects.requireNonNull(modelRepo, "modelRepo")
        .ifPresent(repo -> Checks.requireText(repo, "model_repo"));
    Objects.requireNonNull(modelLocation, "modelLocation");
    saes = saes instanceof GridEntries ? saes : List.copyOf(saes);
    if (saes.isEmpty()) {
      throw new IllegalArgumentException("saes: expected at least one SAE, got none");
    }
    // Ids of a grid differ as its templates do, and expanding all of them takes time.
    if (!(saes instanceof GridEntries)) {
      requireIds(id, saes);
    }
  }

  private static void requireIds(String id, List<SaeEntry> saes) {
    Set<String> seen = new HashSet<>();
    for (SaeEntry sae : saes) {
      if (!seen.add(sae.saeId())) {
        throw new IllegalArgumentException(
            "saes: expected every id once, got '" + sae.saeId() + "' twice");
      }
      if (!sae.release().equals(id)) {
        throw new IllegalArgumentException(
            "saes: expected SAEs of release '%s', got '%s' of release '%s'"
                .formatted(id, sae.saeId(), sae.release()));
      }
    }
  }

  /**
   * Tells how many latents the SAEs have.
   *
   * @return the different numbers, rising; one where all SAEs are as wide
   */
  public SortedSet<Integer> latentCounts() {
    return saes instanceof GridEntries grids
        ? grids.latentCounts()
        : saes.stream().map(SaeEntry::dSae).collect(Collectors.toCollection(TreeSet::new));
  }

  /**
   * Finds an SAE of this release.
   *
   * @param saeId the id of the SAE
   * @return the SAE
   * @throws UnknownSaeException if there is none; its message names the nearest ids
   */
  public SaeEntry sae(String saeId) {
    Objects.requireNonNull(saeId, "saeId");
    return saes.stream()
        .filter(sae -> sae.saeId().equals(saeId))
        .findFirst()
        .orElseThrow(() -> new UnknownSaeException(this, saeId, suggest(saeId)));
  }

  /**
   * Names the SAEs whose id is nearest to a given text. A text that names a layer, such as {@code
   * 5} or {@code layer 5}, gives the SAEs of that layer first.
   *
   * @param saeId the text, need not be a valid id
   * @return at most three ids, the nearest first, equally near ones in the order of {@link #saes};
   *     empty if nothing is near
   */
  public List<String> suggest(String saeId) {
    return Suggestions.saes(Objects.requireNonNull(saeId, "saeId"), saes);
  }
}
