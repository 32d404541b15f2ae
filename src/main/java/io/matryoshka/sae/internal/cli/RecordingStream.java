package io.matryoshka.sae.internal.cli;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Locale;
import java.util.Optional;

/** Remembers why writing failed, which a {@link java.io.PrintWriter} keeps to itself. */
final class RecordingStream extends FilterOutputStream {

  private IOException failure;

  RecordingStream(OutputStream out) {
    super(out);
  }

  @Override
  public synchronized void write(byte[] bytes, int offset, int length) throws IOException {
    try {
      out.write(bytes, offset, length);
    } catch (IOException e) {
      failure = e;
      throw e;
    }
  }

  @Override
  public synchronized void write(int one) throws IOException {
    write(new byte[] {(byte) one}, 0, 1);
  }

  /** The failure, if what was written is lost although somebody wants it. */
  synchronized Optional<IOException> loss() {
    return Optional.ofNullable(failure).filter(e -> !isClosedByReader(e));
  }

  /** A reader such as {@code head} has seen enough. */
  private static boolean isClosedByReader(IOException e) {
    return String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT).contains("broken pipe");
  }
}
