package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.safetensors.Dtype;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options that say which activations of a language model are written, and as what. */
final class HooksMixin {

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(
      names = "--hooks",
      paramLabel = "NAME,NAME,...",
      split = ",",
      required = true,
      hideParamSyntax = true,
      description =
          "Where to read: names of TransformerLens (blocks.5.hook_resid_post), module paths of"
              + " transformers (model.layers.5.mlp.output), or logits.")
  private List<String> hooks = new ArrayList<>();

  @Option(
      names = "--dtype",
      paramLabel = "TYPE",
      defaultValue = "float32",
      converter = DtypeConverter.class,
      description = "float32 (default) or bfloat16, which halves the files.")
  private Dtype dtype;

  /** Checks the type, before a model is loaded. */
  void check() {
    if (dtype != Dtype.F32 && dtype != Dtype.BF16) {
      throw new ParameterException(
          command.commandLine(), "--dtype: expected float32 or bfloat16, got " + dtype);
    }
  }

  List<String> names() {
    return hooks;
  }

  boolean isBfloat16() {
    return dtype == Dtype.BF16;
  }
}
