package io.matryoshka.sae.stream;

/** Is told how far a run is. */
@FunctionalInterface
public interface EncodeProgress {

  /** Tells nobody. */
  EncodeProgress NONE = (rowsDone, rows) -> {};

  /**
   * Takes a message, on the thread that called the run: one at the start, where a resumed run
   * begins above 0, then one per batch.
   *
   * @param rowsDone rows encoded so far
   * @param rows rows of the whole run
   */
  void update(long rowsDone, long rows);
}
