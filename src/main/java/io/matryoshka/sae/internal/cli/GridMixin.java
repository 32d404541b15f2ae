package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.internal.bench.BenchmarkGrid;
import io.matryoshka.sae.internal.bench.Operation;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/** The options that say what a benchmark measures. */
final class GridMixin {

  private static final String LOAD = "load";
  private static final List<Integer> TOKENS = List.of(1, 16, 128, 512);
  private static final List<Integer> ALL_TOKENS = List.of(1, 16, 128, 512, 4096);
  private static final List<Integer> WIDTHS = List.of(2048);
  private static final List<Integer> ALL_WIDTHS = List.of(128, 512, 2048, 8192, 32768);

  @Option(
      names = "--operations",
      paramLabel = "OP,OP,...",
      split = ",",
      hideParamSyntax = true,
      description =
          "Among encodeSparse, encode, decode, forward, reconstructions and load; default: all.")
  private List<String> operations = new ArrayList<>();

  @Option(
      names = "--tokens",
      paramLabel = "N,N,...",
      split = ",",
      hideParamSyntax = true,
      description = "Tokens of a call; default: 1,16,128,512.")
  private List<Integer> tokens = new ArrayList<>();

  @Option(
      names = "--prefix-widths",
      paramLabel = "W,W,...",
      split = ",",
      hideParamSyntax = true,
      description = "Widths of the prefix views that are called; default: 2048 and d_sae.")
  private List<Integer> prefixWidths = new ArrayList<>();

  @Option(
      names = "--all",
      description =
          "The full grid: also 4096 tokens, widths 128 to d_sae, and for synthetic SAEs d_in"
              + " 1152,2304,3584. Takes up to an hour.")
  private boolean all;

  @Option(
      names = "--seconds",
      paramLabel = "SECONDS",
      defaultValue = "0.1",
      description =
          "How long one engine runs before the other has its turn; default: ${DEFAULT-VALUE}."
              + " There are 3 to 7 turns.")
  private double seconds;

  @Option(names = "--no-dense", description = "Do not time the dense form.")
  private boolean noDense;

  boolean isAll() {
    return all;
  }

  /** Whether anything but loading is measured. */
  boolean hasOperations() {
    return operations.isEmpty() || operations.stream().anyMatch(name -> !isLoad(name));
  }

  /** Refuses what no SAE can have, before anything is made or loaded. */
  void check() {
    grid(Integer.MAX_VALUE);
  }

  /** What to measure of an SAE of this width. */
  BenchmarkGrid grid(int dSae) {
    Set<Operation> chosen = EnumSet.noneOf(Operation.class);
    boolean load = operations.isEmpty();
    for (String name : operations) {
      if (isLoad(name)) {
        load = true;
      } else {
        chosen.add(operation(name));
      }
    }
    return new BenchmarkGrid(
        operations.isEmpty() ? EnumSet.allOf(Operation.class) : chosen,
        load,
        rising(tokens.isEmpty() ? all ? ALL_TOKENS : TOKENS : tokens),
        rising(prefixWidths.isEmpty() ? widths(dSae) : prefixWidths),
        seconds,
        !noDense);
  }

  private static boolean isLoad(String name) {
    return name.equalsIgnoreCase(LOAD);
  }

  private List<Integer> widths(int dSae) {
    return Stream.concat(
            (all ? ALL_WIDTHS : WIDTHS).stream().filter(width -> width < dSae), Stream.of(dSae))
        .toList();
  }

  private static List<Integer> rising(List<Integer> values) {
    return List.copyOf(new TreeSet<>(values));
  }

  private static Operation operation(String name) {
    return Arrays.stream(Operation.values())
        .filter(operation -> operation.key().equalsIgnoreCase(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "--operations: expected some of %s and %s, got '%s'"
                        .formatted(
                            Arrays.stream(Operation.values())
                                .map(Operation::key)
                                .collect(Collectors.joining(", ")),
                            LOAD,
                            name)));
  }
}
