package io.matryoshka.sae.explore;

import io.matryoshka.sae.Levels;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.config.NormalizeActivations;
import io.matryoshka.sae.eval.LatentStatistics;
import io.matryoshka.sae.stream.ActivationSource;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Looks at the latents of an SAE on a set of activations: one pass for statistics, top contexts and
 * co-activation, a search for nearest latents, and a pass over the first {@value #SECOND_PASS_ROWS}
 * rows for absorption and for examples of lower activations.
 *
 * <pre>{@code
 * Exploration found = new Explorer(sae).explore(source, ExplorerOptions.defaults());
 * LatentProfile first = found.profiles().get(0);
 * }</pre>
 */
public final class Explorer {

  /** Rows of the second pass, which checks absorption and finds examples. */
  public static final int SECOND_PASS_ROWS = 100_000;

  /** Parents that absorption is checked for. */
  public static final int MAX_PARENTS = 512;

  /** Is told how far a task is. */
  @FunctionalInterface
  public interface Listener {

    /**
     * Takes a step.
     *
     * @param task what is done, in a word or two
     * @param done how much is done
     * @param total how much there is
     */
    void step(String task, long done, long total);
  }

  private final SAE sae;
  private final Listener listener;

  /**
   * Makes an explorer that tells nobody.
   *
   * @param sae the SAE; stays open
   */
  public Explorer(SAE sae) {
    this(sae, (task, done, total) -> {});
  }

  /**
   * Makes an explorer.
   *
   * @param sae the SAE; stays open
   * @param listener told of progress, on the calling thread
   */
  public Explorer(SAE sae, Listener listener) {
    this.sae = Objects.requireNonNull(sae, "sae");
    this.listener = Objects.requireNonNull(listener, "listener");
  }

  /**
   * Explores.
   *
   * @param source activations of the SAE's hook point
   * @param options what to look for
   * @return what was found
   * @throws IOException if activations cannot be read, or a row that cannot be encoded stops it
   * @throws IllegalArgumentException if the activations have another width than {@code d_in}, the
   *     mask does not fit, or a chosen latent does not exist
   */
  public Exploration explore(ActivationSource source, ExplorerOptions options) throws IOException {
    return finish(part(source, options, 0, source.rows()), source, options);
  }

  /**
   * Looks at the rows of a range, as a part of an exploration of all rows of a source. A few rows
   * on each side are encoded, too, so that contexts at the ends of the range are whole.
   *
   * @param source activations of the SAE's hook point
   * @param options what to look for
   * @param fromRow index of the first row, a multiple of {@link ExplorerOptions#rowsPerBatch}
   * @param toRow index of the row after the last, another multiple or the end of the source
   * @return what is kept of the rows, to be {@linkplain ExplorationPart#merge merged} with the
   *     parts of all other ranges and handed to {@link #finish}
   * @throws IOException if activations cannot be read, or a row that cannot be encoded stops it
   * @throws IllegalArgumentException if activations, mask, range or a chosen latent do not fit
   */
  public ExplorationPart part(
      ActivationSource source, ExplorerOptions options, long fromRow, long toRow)
      throws IOException {
    requireLatents(options.latents());
    ExplorationPart part = ExplorationPart.empty(sae, options);
    part.add(source, fromRow, toRow, done -> listener.step("encode", done, source.rows()));
    return part;
  }

  /**
   * Describes latents by what a pass over all rows has found: the search for nearest latents, and
   * the second pass.
   *
   * @param all the merged parts of all ranges
   * @param source activations of the SAE's hook point
   * @param options what to look for, as for the parts
   * @return what was found
   * @throws IOException if activations cannot be read, or a row that cannot be encoded stops it
   * @throws IllegalArgumentException if the parts do not hold as many rows as the source, all rows
   *     were left out, or the mask or a chosen latent does not fit
   */
  public Exploration finish(ExplorationPart all, ActivationSource source, ExplorerOptions options)
      throws IOException {
    requireLatents(options.latents());
    all.requireWhole(source);
    TopContexts contexts = all.contexts();
    ActivationHistograms histograms = all.histograms();
    Coactivations coactivations = all.pairs().result(options.minBoth());
    LatentStatistics statistics = coactivations.statistics();
    int[] latents = chosen(options.latents(), statistics);
    List<List<Neighbour>> decoder = neighbours(latents, Direction.DECODER, options);
    List<List<Neighbour>> encoder = neighbours(latents, Direction.ENCODER, options);
    LowerExamples examples = new LowerExamples(latents, statistics, options.reach());
    Map<Integer, Absorption> absorption =
        secondPass(latents, statistics, examples, source, options);
    List<LatentProfile> profiles = new ArrayList<>();
    for (int i = 0; i < latents.length; i++) {
      List<TopContext> strongest = contexts.strongest(latents[i]);
      profiles.add(
          new LatentProfile(
              latents[i],
              strongest,
              histograms.of(latents[i]),
              examples.of(latents[i], strongest),
              decoder.get(i),
              encoder.get(i),
              coactivations.parents(latents[i], options.relatives()),
              coactivations.children(latents[i], options.relatives()),
              Optional.ofNullable(absorption.get(latents[i]))));
    }
    return new Exploration(
        Levels.of(sae), source.rows(), statistics, contexts, profiles, coactivations.missed());
  }

  /**
   * Counts how often and how strongly each latent fires.
   *
   * @param source activations of the SAE's hook point
   * @param options rows encoded at a time, and which rows count
   * @return statistics of all latents
   * @throws IOException if activations cannot be read, or a row that cannot be encoded stops it
   */
  public LatentStatistics count(ActivationSource source, ExplorerOptions options)
      throws IOException {
    return countPart(source, options, 0, source.rows()).statistics();
  }

  /**
   * Counts in the rows of a range, as a part of {@link #count} of all rows of a source.
   *
   * @param source activations of the SAE's hook point
   * @param options rows encoded at a time, and which rows count
   * @param fromRow index of the first row, a multiple of {@link ExplorerOptions#rowsPerBatch}
   * @param toRow index of the row after the last, another multiple or the end of the source
   * @return the counts, to be {@linkplain FiringCounter#merge merged} with those of all other
   *     ranges
   * @throws IOException if activations cannot be read, or a row that cannot be encoded stops it
   * @throws IllegalArgumentException if activations, mask or range do not fit
   */
  public FiringCounter countPart(
      ActivationSource source, ExplorerOptions options, long fromRow, long toRow)
      throws IOException {
    FiringCounter counter = new FiringCounter(sae.dSae());
    LatentPass.run(
        sae,
        source,
        options.rows(),
        fromRow,
        toRow,
        options.rowsPerBatch(),
        List.of(counter),
        done -> listener.step("encode", done, source.rows()));
    return counter;
  }

  private void requireLatents(List<Integer> latents) {
    for (int latent : latents) {
      if (latent < 0 || latent >= sae.dSae()) {
        throw new IllegalArgumentException(
            "latent must lie in 0..%d, got %d".formatted(sae.dSae() - 1, latent));
      }
    }
  }

  private static int[] chosen(List<Integer> latents, LatentStatistics statistics) {
    return latents.isEmpty()
        ? IntStream.range(0, statistics.size())
            .filter(latent -> statistics.firings(latent) > 0)
            .limit(ExplorerOptions.MAX_LATENTS)
            .toArray()
        : latents.stream().mapToInt(i -> i).distinct().toArray();
  }

  private List<List<Neighbour>> neighbours(
      int[] latents, Direction direction, ExplorerOptions options) {
    if (!options.nearest()) {
      return Collections.nCopies(latents.length, List.of());
    }
    return new NearestLatents(sae, sae, direction, options.relatives())
        .find(latents, done -> listener.step("nearest latents", done, latents.length));
  }

  /** Fills examples, and returns absorption by parent where it can be checked. */
  private Map<Integer, Absorption> secondPass(
      int[] latents,
      LatentStatistics statistics,
      LowerExamples examples,
      ActivationSource source,
      ExplorerOptions options)
      throws IOException {
    if (latents.length == 0) {
      return Map.of();
    }
    Optional<AbsorptionCheck> check = absorptionCheck(latents, statistics);
    List<LatentPass.Collector> collectors = new ArrayList<>(List.of(examples));
    check.ifPresent(collectors::add);
    long rows = Math.min(source.rows(), SECOND_PASS_ROWS);
    LatentPass.run(
        sae,
        source,
        options.rows().withoutWarnings(),
        0,
        source.wholeBatches(rows, options.rowsPerBatch()),
        options.rowsPerBatch(),
        collectors,
        done -> listener.step("examples", done, rows));
    Map<Integer, Absorption> found = new HashMap<>();
    check.ifPresent(c -> c.result().forEach(one -> found.put(one.parent(), one)));
    return found;
  }

  private Optional<AbsorptionCheck> absorptionCheck(int[] latents, LatentStatistics statistics) {
    Levels levels = Levels.of(sae);
    int[] parents =
        IntStream.of(latents)
            .filter(latent -> levels.of(latent) < levels.count() - 1)
            .limit(MAX_PARENTS)
            .toArray();
    boolean fits =
        sae.config().normalizeActivations() == NormalizeActivations.NONE && !sae.isTranscoder();
    return fits && parents.length > 0
        ? Optional.of(new AbsorptionCheck(sae, parents, statistics))
        : Optional.empty();
  }
}
