package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.Levels;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.lm.Intervention;
import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.lm.Tokens;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options that change the activations that an SAE reads. */
final class InterventionMixin {

  private static final String LEVEL = "level:";

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(
      names = "--steer",
      paramLabel = "LATENT:STRENGTH",
      description =
          "Add STRENGTH times the latent's decoder row to the activations; may be given several"
              + " times.")
  private List<String> steers = new ArrayList<>();

  @Option(
      names = "--ablate",
      paramLabel = "LATENT|level:N",
      description =
          "Set a latent, or all of a level (from 0), to 0 and keep what the SAE leaves out; may be"
              + " given several times.")
  private List<String> ablations = new ArrayList<>();

  @Option(
      names = "--scale",
      paramLabel = "LATENT:FACTOR",
      description =
          "Multiply a latent where it is active and keep what the SAE leaves out; may be given"
              + " several times.")
  private List<String> scales = new ArrayList<>();

  @Option(names = "--splice", description = "Replace the activations by their reconstruction.")
  private boolean splice;

  @Option(
      names = "--positions",
      paramLabel = "FIRST-LAST",
      parameterConsumer = RangesConsumer.class,
      description =
          "Positions to change, from 0, such as 2-5,7; those of new tokens count on after the"
              + " text's. Default: all.")
  private List<IntRange> positions = new ArrayList<>();

  @Option(names = "--skip-bos", description = "Leave the activations of <bos> tokens as they are.")
  private boolean skipBos;

  boolean isGiven() {
    return splice || !steers.isEmpty() || !scales.isEmpty() || !ablations.isEmpty();
  }

  /** Whether steering was asked for. */
  boolean hasSteers() {
    return !steers.isEmpty();
  }

  /** Makes the interventions that were asked for. */
  List<Intervention> of(SAE sae) {
    List<Intervention> interventions = new ArrayList<>();
    if (splice) {
      interventions.add(Intervention.splice(sae));
    }
    ablations.forEach(ablation -> interventions.add(ablation(sae, ablation)));
    scales.forEach(
        scale -> interventions.add(strong(sae, "--scale", "FACTOR", scale, Intervention::scale)));
    steers.forEach(
        steer -> interventions.add(strong(sae, "--steer", "STRENGTH", steer, Intervention::steer)));
    return interventions.stream().map(placed()).toList();
  }

  /**
   * Refuses positions at which no text has a token, nor gets one.
   *
   * @param changes what {@link #of} has made
   * @param newTokens tokens that each text may get
   */
  void requireReached(
      LanguageModel model, List<Intervention> changes, List<Tokens> texts, int newTokens) {
    Optional<String> problem = reach(model, changes).flatMap(r -> r.problem(texts, newTokens));
    if (problem.isPresent()) {
      throw new ParameterException(command.commandLine(), problem.get());
    }
  }

  /** Which tokens the positions reach; empty where all are changed. */
  Optional<Reach> reach(LanguageModel model, List<Intervention> changes) {
    return positions.isEmpty() || changes.isEmpty()
        ? Optional.empty()
        : Optional.of(new Reach(model, changes.get(0), positions));
  }

  private UnaryOperator<Intervention> placed() {
    return intervention -> {
      Intervention at =
          positions.isEmpty()
              ? intervention
              : intervention.positions(
                  position -> positions.stream().anyMatch(range -> range.contains(position)));
      return skipBos ? at.skipBos() : at;
    };
  }

  /** Makes an intervention of a latent and a number. */
  private interface Strong {
    Intervention of(SAE sae, int latent, float strength);
  }

  private Intervention strong(SAE sae, String option, String number, String text, Strong made) {
    int colon = text.indexOf(':');
    try {
      return made.of(
          sae,
          Integer.parseInt(text.substring(0, Math.max(colon, 0))),
          Float.parseFloat(text.substring(colon + 1)));
    } catch (NumberFormatException e) {
      throw usage(
          "%s: expected LATENT:%s such as 497:60, got '%s'".formatted(option, number, text));
    }
  }

  private Intervention ablation(SAE sae, String text) {
    try {
      if (!text.startsWith(LEVEL)) {
        return Intervention.ablate(sae, Integer.parseInt(text));
      }
      int level = Integer.parseInt(text.substring(LEVEL.length()));
      Levels levels = Levels.of(sae);
      if (level < 0 || level >= levels.count()) {
        throw usage(
            "--ablate: expected level:0 to level:%d, got '%s'".formatted(levels.count() - 1, text));
      }
      return Intervention.ablateRange(sae, levels.from(level), levels.to(level));
    } catch (NumberFormatException e) {
      throw usage("--ablate: expected a latent such as 17, or level:2, got '" + text + "'");
    }
  }

  private ParameterException usage(String message) {
    return new ParameterException(command.commandLine(), message);
  }
}
