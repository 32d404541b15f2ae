package io.matryoshka.sae.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import picocli.CommandLine.Help.Ansi;

/**
 * Where a command writes.
 *
 * @param out for results
 * @param err for messages and progress
 * @param outIsTerminal whether a person reads {@code out}, so that it may have colours
 * @param errIsTerminal whether a person reads {@code err}, so that it may have a progress bar
 */
record Console(PrintWriter out, PrintWriter err, boolean outIsTerminal, boolean errIsTerminal) {

  Console {
    Objects.requireNonNull(out, "out");
    Objects.requireNonNull(err, "err");
  }

  /** The streams of this process. Files and pipes get UTF-8, whatever the locale. */
  static Console ofSystem() {
    boolean out = Terminals.isTerminal(1);
    boolean err = Terminals.isTerminal(2);
    return new Console(writer(FileDescriptor.out, out), writer(FileDescriptor.err, err), out, err);
  }

  /** Whether help texts have colours. */
  Ansi helpAnsi() {
    return outIsTerminal && Terminals.takesColours() ? Ansi.ON : Ansi.OFF;
  }

  private static PrintWriter writer(FileDescriptor target, boolean terminal) {
    Charset charset =
        terminal && System.console() != null ? System.console().charset() : StandardCharsets.UTF_8;
    return new PrintWriter(new OutputStreamWriter(new FileOutputStream(target), charset), true);
  }
}
