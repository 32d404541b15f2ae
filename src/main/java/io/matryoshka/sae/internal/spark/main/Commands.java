package io.matryoshka.sae.internal.spark.main;

/** The commands of the program for clusters. */
public interface Commands {

  /**
   * Runs a command.
   *
   * @param args the command, its parameters and options
   * @return the exit code of the process
   */
  int run(String... args);
}
