package io.matryoshka.sae.internal.cli;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Options of the command line that commands on a cluster do not take, and why. */
final class RefusedOptions {

  private static final Map<String, String> REASONS =
      new TreeMap<>(
          Map.of(
              "--layers",
              "a job runs one SAE; run one job for each, over one folder of activations",
              "--registry",
              "hosts know the release tables of their jar alone; name the SAE by OWNER/REPO and its"
                  + " folder, or with --dir",
              "--force-download",
              "each host fetches with its first task; name another --revision, or clear the caches"
                  + " of the hosts",
              "--loss",
              "it runs the language model again and again on the same texts, on one machine; run"
                  + " evaluate --loss of the command line on some of the texts",
              "--checkpoint",
              "Spark itself repeats what a lost host had done; a job that is started again begins"
                  + " anew",
              "--checkpoint-rows",
              "there is no checkpoint; Spark itself repeats what a lost host had done",
              "--texts-per-file",
              "files are cut by tokens, so that tasks take the same time; use --tokens-per-file"));

  private RefusedOptions() {}

  /** The names of all of them. */
  static Iterable<String> names() {
    return REASONS.keySet();
  }

  /** Takes them out of a command whose groups of options have them. */
  static void remove(CommandLine command) {
    CommandSpec spec = command.getCommandSpec();
    for (String name : names()) {
      OptionSpec option = spec.findOption(name);
      if (option != null) {
        spec.remove(option);
      }
    }
  }

  /** Says why one of them is not taken; other faults are told as on the command line. */
  static int explain(ParameterException e, String[] args) {
    List<String> unmatched =
        e instanceof UnmatchedArgumentException unknown
            ? unknown.getUnmatched()
            : e.getCommandLine().getUnmatchedArguments();
    Optional<String> refused =
        unmatched.stream()
            .map(word -> word.replaceFirst("=.*", ""))
            .filter(REASONS::containsKey)
            .findFirst();
    return ErrorLine.ofParameters(
        refused
            .map(
                name ->
                    new ParameterException(
                        e.getCommandLine(),
                        "%s is not for clusters: %s".formatted(name, REASONS.get(name))))
            .orElse(e),
        args);
  }
}
