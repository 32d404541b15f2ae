package io.matryoshka.sae.internal.bench;

/**
 * How long an SAE takes from disk to its first latents, in a JVM whose engine is started.
 *
 * @param kind what was at hand
 * @param loadSeconds until the SAE is there, by round
 * @param firstSeconds of the encode of one token that follows, by round
 * @param totalSeconds both together, by round
 */
public record LoadTiming(
    Kind kind, TimingSummary loadSeconds, TimingSummary firstSeconds, TimingSummary totalSeconds) {

  /** What was at hand when the SAE was loaded. */
  public enum Kind {
    /** The weights alone: the fast engine makes its layout, and stores it where it may. */
    FIRST_TIME("first time"),
    /** What the first time has stored; of an SAE too small for that, the weights alone. */
    NEXT_TIME("next time"),
    /** The weights, which are all that the reference engine needs. */
    DENSE("dense");

    private final String title;

    Kind(String title) {
      this.title = title;
    }

    /**
     * Returns the name in reports.
     *
     * @return two words at most
     */
    public String title() {
      return title;
    }
  }
}
