package io.matryoshka.sae.internal.kernel;

import java.util.concurrent.atomic.AtomicLong;

/** Counts how screening did: of one engine, and of all engines of the JVM. */
public final class ScreeningCounters {

  private static final ScreeningCounters ALL = new ScreeningCounters();

  private final AtomicLong screened = new AtomicLong();
  private final AtomicLong candidates = new AtomicLong();
  private final AtomicLong active = new AtomicLong();
  private final AtomicLong fallbackRows = new AtomicLong();

  /**
   * Counts a block of rows.
   *
   * @param pairs rows times latents looked at
   * @param kept of these, what screening could not rule out
   * @param fallback rows that needed float32 screening
   */
  public void addBlock(long pairs, long kept, long fallback) {
    screened.addAndGet(pairs);
    candidates.addAndGet(kept);
    fallbackRows.addAndGet(fallback);
    if (this != ALL) {
      ALL.addBlock(pairs, kept, fallback);
    }
  }

  /**
   * Counts the result of a call.
   *
   * @param latents active latents of all rows
   */
  public void addActive(long latents) {
    active.addAndGet(latents);
    if (this != ALL) {
      ALL.addActive(latents);
    }
  }

  /**
   * Returns the counts.
   *
   * @return counts since the engine was made
   */
  public ScreeningStats stats() {
    return new ScreeningStats(screened.get(), candidates.get(), active.get(), fallbackRows.get());
  }

  /**
   * Returns the counts of all engines.
   *
   * @return counts since the JVM started
   */
  public static ScreeningStats all() {
    return ALL.stats();
  }
}
