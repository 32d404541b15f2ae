package io.matryoshka.sae.internal.bench;

import ai.djl.Device;
import io.matryoshka.sae.LoadOptions;
import io.matryoshka.sae.SAE;
import java.io.IOException;
import java.util.Optional;

/**
 * An SAE to measure.
 *
 * @param name what it is called in reports
 * @param device where it computes
 * @param opener loads it
 * @param activations gives what it encodes
 * @param folder where it lies if it is synthetic
 */
public record BenchmarkTarget(
    String name,
    Device device,
    Opener opener,
    Activations activations,
    Optional<SyntheticFolder> folder) {

  /** Loads the SAE. */
  @FunctionalInterface
  public interface Opener {

    /**
     * Loads the SAE.
     *
     * @param engine the engine that is wanted; the SAE may have the reference engine only
     * @param preparedCache whether prepared data is kept on disk
     * @return the SAE
     * @throws IOException if it cannot be read
     */
    SAE open(LoadOptions.Engine engine, boolean preparedCache) throws IOException;
  }

  /** Gives model activations. */
  @FunctionalInterface
  public interface Activations {

    /**
     * Gives rows that look like those of the model.
     *
     * @param sae the SAE, loaded
     * @param count how many
     * @return {@code [count, d_in]} row-major
     * @throws IOException if they cannot be read
     */
    float[] rows(SAE sae, int count) throws IOException;
  }

  /**
   * Describes a synthetic SAE.
   *
   * @param sae what was generated
   * @param folder where it was written
   * @param options how to load it
   * @param device where the options load it
   * @return the target
   */
  public static BenchmarkTarget of(
      SyntheticSae sae, SyntheticFolder folder, LoadOptions options, Device device) {
    return new BenchmarkTarget(
        "synthetic SAE",
        device,
        (engine, cache) -> SAE.load(folder.path(), options.engine(engine).preparedCache(cache)),
        (loaded, count) -> sae.tokens(0, count),
        Optional.of(folder));
  }
}
