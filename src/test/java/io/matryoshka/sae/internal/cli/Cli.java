package io.matryoshka.sae.internal.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;

/** Runs commands in this JVM and keeps what they print. */
final class Cli {

  /** What a command has left. */
  record Result(int code, String out, String err) {

    JsonNode json() throws IOException {
      return new ObjectMapper().readTree(out);
    }
  }

  private Cli() {}

  static Result run(Object... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    String[] texts = new String[args.length];
    for (int i = 0; i < args.length; i++) {
      texts[i] = args[i].toString();
    }
    Console console = new Console(new PrintWriter(out), new PrintWriter(err), false, false);
    int code = Main.run(console, texts);
    return new Result(
        code,
        out.toString().replace(System.lineSeparator(), "\n"),
        err.toString().replace(System.lineSeparator(), "\n"));
  }
}
