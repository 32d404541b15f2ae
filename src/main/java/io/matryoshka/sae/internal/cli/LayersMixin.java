package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.registry.Release;
import io.matryoshka.sae.registry.SaeEntry;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The option that stands for the SAEs of some layers of a release. */
final class LayersMixin {

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(
      names = "--layers",
      paramLabel = "N-N,N,...",
      split = ",",
      hideParamSyntax = true,
      converter = IntRange.Converter.class,
      description = "The SAEs of these layers of the release, such as 0-12 or 3,5,9-11.")
  private List<IntRange> ranges = new ArrayList<>();

  boolean isGiven() {
    return !ranges.isEmpty();
  }

  /** Refuses an option that has no meaning for several SAEs. */
  void requireNone(String option, boolean isNone) {
    if (!isNone) {
      throw new ParameterException(
          command.commandLine(),
          "%s is for one SAE; leave it out, or name the SAE in place of --layers"
              .formatted(option));
    }
  }

  /**
   * The SAEs of the layers, in the order of the release; all of them if no layer was named.
   *
   * @throws ParameterException if one of the ranges has no SAE
   */
  List<SaeEntry> of(Release release) {
    for (IntRange range : ranges) {
      if (release.saes().stream().noneMatch(entry -> isIn(range, entry))) {
        throw new ParameterException(
            command.commandLine(),
            "release %s has no SAE of layers %s; it has those of %s"
                .formatted(release.id(), range, layers(release)));
      }
    }
    return release.saes().stream()
        .filter(entry -> ranges.isEmpty() || ranges.stream().anyMatch(range -> isIn(range, entry)))
        .toList();
  }

  /** What to say of layers that were named and have no SAE; empty if all have one. */
  Optional<String> missing(Release release) {
    Set<Integer> there =
        release.saes().stream()
            .flatMap(entry -> entry.layer().stream().boxed())
            .collect(Collectors.toSet());
    int last = Collections.max(there);
    Set<String> missing = new LinkedHashSet<>();
    for (IntRange range : ranges) {
      IntStream.rangeClosed(range.first(), Math.min(range.last(), last))
          .filter(layer -> !there.contains(layer))
          .forEach(layer -> missing.add(Integer.toString(layer)));
      if (range.last() > last) {
        missing.add(new IntRange(last + 1, range.last()).toString());
      }
    }
    return missing.isEmpty()
        ? Optional.empty()
        : Optional.of(
            "--layers: release %s has no SAE of layers %s, which are left out"
                .formatted(release.id(), String.join(", ", missing)));
  }

  private static boolean isIn(IntRange range, SaeEntry entry) {
    return entry.layer().isPresent() && range.contains(entry.layer().getAsInt());
  }

  private static String layers(Release release) {
    List<Integer> numbers =
        release.saes().stream()
            .flatMap(entry -> entry.layer().stream().boxed())
            .distinct()
            .sorted()
            .toList();
    if (numbers.isEmpty()) {
      return "no layer";
    }
    int first = numbers.get(0);
    int last = numbers.get(numbers.size() - 1);
    return last - first + 1 == numbers.size()
        ? new IntRange(first, last).toString()
        : numbers.stream().map(String::valueOf).collect(Collectors.joining(", "));
  }
}
