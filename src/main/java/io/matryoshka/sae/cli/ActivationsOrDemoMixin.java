package io.matryoshka.sae.cli;

import io.matryoshka.sae.registry.SaeEntry;
import io.matryoshka.sae.stream.ActivationSource;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options that name model activations, where the bundled demo brings its own. */
final class ActivationsOrDemoMixin {

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(
      names = {"-i", "--input"},
      paramLabel = "FILE",
      arity = "1..*",
      description =
          "Activations: .safetensors or .npy files, folders of them, or patterns; default for the"
              + " bundled demo: its own.")
  private List<String> inputs = new ArrayList<>();

  @Mixin private TensorMixin tensor;

  /**
   * Tells whether the bundled activations are meant.
   *
   * @throws ParameterException if there is no input and the SAE is not the bundled demo
   */
  boolean isDemo(Optional<SaeEntry> entry) {
    if (!inputs.isEmpty()) {
      return false;
    }
    if (entry.filter(e -> e.release().equals(DemoData.RELEASE)).isEmpty()) {
      throw new ParameterException(
          command.commandLine(),
          "expected activations with --input, got none; the bundled demo alone needs none");
    }
    return true;
  }

  /** Opens the activations of an SAE. */
  ActivationSource open(int dIn) throws IOException {
    return open(inputs, dIn);
  }

  /** Opens other files, of which the same tensor is read. */
  ActivationSource open(List<String> files, int dIn) throws IOException {
    return tensor.open(files, dIn);
  }
}
