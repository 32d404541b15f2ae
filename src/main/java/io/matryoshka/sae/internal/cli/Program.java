package io.matryoshka.sae.internal.cli;

/** A program whose commands print to a console. */
interface Program {

  /** Returns where the commands write. */
  Console console();
}
