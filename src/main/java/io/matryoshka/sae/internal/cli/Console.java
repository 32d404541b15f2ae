package io.matryoshka.sae.internal.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import picocli.CommandLine.Help.Ansi;

/**
 * Where a command writes.
 *
 * @param out for results
 * @param err for messages and progress
 * @param outIsTerminal whether a person reads {@code out}, so that it may have colours
 * @param errIsTerminal whether a person reads {@code err}, so that it may have a progress bar
 * @param loss why something that was written to {@code out} is lost, if it is
 */
record Console(
    PrintWriter out,
    PrintWriter err,
    boolean outIsTerminal,
    boolean errIsTerminal,
    Supplier<Optional<IOException>> loss) {

  Console {
    Objects.requireNonNull(out, "out");
    Objects.requireNonNull(err, "err");
    Objects.requireNonNull(loss, "loss");
  }

  /** Streams that lose nothing, such as those that keep texts in memory. */
  Console(PrintWriter out, PrintWriter err, boolean outIsTerminal, boolean errIsTerminal) {
    this(out, err, outIsTerminal, errIsTerminal, Optional::empty);
  }

  /** The streams of this process. Files and pipes get UTF-8, whatever the locale. */
  static Console ofSystem() {
    boolean out = Terminals.isTerminal(1);
    boolean err = Terminals.isTerminal(2);
    RecordingStream results = new RecordingStream(new FileOutputStream(FileDescriptor.out));
    OutputStream messages = new FileOutputStream(FileDescriptor.err);
    return new Console(writer(results, out), writer(messages, err), out, err, results::loss);
  }

  /** Whether help texts have colours. */
  Ansi helpAnsi() {
    return outIsTerminal && Terminals.takesColours() ? Ansi.ON : Ansi.OFF;
  }

  private static PrintWriter writer(OutputStream target, boolean terminal) {
    Charset charset =
        terminal && System.console() != null ? System.console().charset() : StandardCharsets.UTF_8;
    return new PrintWriter(new OutputStreamWriter(target, charset), true);
  }
}
