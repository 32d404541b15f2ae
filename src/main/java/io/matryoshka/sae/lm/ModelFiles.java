package io.matryoshka.sae.lm;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/** The files of a model, on disk or fetched when asked for. */
interface ModelFiles {

  /** For messages: the folder or repository. */
  String name();

  /** What {@code config.json} says. */
  LanguageModelConfig config() throws IOException;

  /** {@code tokenizer.json}, if the model has one. */
  Optional<Path> tokenizer() throws IOException;

  /** The names of all tensors. */
  Set<String> tensors() throws IOException;

  /** A safetensors file that holds the tensor. */
  Path fileOf(String tensor) throws IOException;

  /** A short text that differs when the weights or the configuration differ. */
  String fingerprint() throws IOException;

  /** Whether all files are on disk, so that they can be checked before the first use. */
  boolean isLocal();
}
