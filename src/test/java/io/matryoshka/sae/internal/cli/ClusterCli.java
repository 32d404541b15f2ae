package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.spark.support.LocalSpark;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Arrays;

/** Runs commands of the program for clusters in this JVM, on local Spark. */
final class ClusterCli {

  private ClusterCli() {}

  static Cli.Result run(Object... args) {
    LocalSpark.session(); // The session that a command finds.
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    String[] texts = Arrays.stream(args).map(Object::toString).toArray(String[]::new);
    Console console = new Console(new PrintWriter(out), new PrintWriter(err), false, false);
    int code = new ClusterProgram(console).run(texts);
    return new Cli.Result(
        code,
        out.toString().replace(System.lineSeparator(), "\n"),
        err.toString().replace(System.lineSeparator(), "\n"));
  }
}
