package io.matryoshka.sae.registry;

import java.util.IntSummaryStatistics;
import java.util.List;

/** An SAE was asked for that its release does not hold. */
public final class UnknownSaeException extends IllegalArgumentException {

  private static final long serialVersionUID = 1L;

  /** The release that was asked for. */
  private final String release;

  /** The id that was asked for. */
  private final String saeId;

  /** The nearest valid names. */
  private final String[] suggestions;

  UnknownSaeException(Release release, String saeId, List<String> suggestions) {
    super(
        "unknown SAE %s in release '%s': %s Number of SAEs in this release: %d%s."
            .formatted(
                Messages.quote(saeId),
                release.id(),
                Messages.hint(suggestions, release.saes().stream().map(SaeEntry::saeId).toList()),
                release.saes().size(),
                layers(release)));
    this.release = release.id();
    this.saeId = saeId;
    this.suggestions = suggestions.toArray(String[]::new);
  }

  /**
   * Returns the release that was searched.
   *
   * @return its id
   */
  public String release() {
    return release;
  }

  /**
   * Returns the name that was asked for.
   *
   * @return the unknown id
   */
  public String saeId() {
    return saeId;
  }

  /**
   * Returns the nearest valid ids.
   *
   * @return the ids, the nearest first; empty if nothing is near
   */
  public List<String> suggestions() {
    return List.of(suggestions);
  }

  private static String layers(Release release) {
    IntSummaryStatistics layers =
        release.saes().stream().flatMapToInt(sae -> sae.layer().stream()).summaryStatistics();
    return layers.getCount() == 0
        ? ""
        : ", layers %d to %d".formatted(layers.getMin(), layers.getMax());
  }
}
