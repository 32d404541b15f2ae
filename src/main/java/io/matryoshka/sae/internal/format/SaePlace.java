package io.matryoshka.sae.internal.format;

import io.matryoshka.sae.safetensors.Dtype;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Where an SAE is published, and its small files.
 *
 * @param name the folder with its repository, or on disk; some formats say in it what the SAE is
 * @param config the configuration, if it is there
 * @param runner the settings of training beside it ({@value #RUNNER}), if they are there
 * @param dtype the type of the tensors in place of what the configuration says
 */
public record SaePlace(
    String name, Optional<Path> config, Optional<Path> runner, Optional<Dtype> dtype) {

  /** Settings of training that SAELens saves. */
  public static final String RUNNER = "runner_cfg.json";
}
