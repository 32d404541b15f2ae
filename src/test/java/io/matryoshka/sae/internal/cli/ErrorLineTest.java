package io.matryoshka.sae.internal.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import org.junit.jupiter.api.Test;

class ErrorLineTest {

  private final StringWriter err = new StringWriter();

  private int print(Throwable failure, boolean stackTrace) {
    return ErrorLine.print(new PrintWriter(err, true), "matryoshka-sae x", failure, stackTrace);
  }

  @Test
  void file_missing_isNamed() {
    assertThat(print(new NoSuchFileException("a/b"), false)).isEqualTo(3);
    assertThat(err.toString().strip()).isEqualTo("matryoshka-sae x: no such file or folder: a/b");
  }

  @Test
  void file_forbidden_isNamed() {
    assertThat(print(new AccessDeniedException("a/b"), false)).isEqualTo(7);
    assertThat(err.toString()).contains("permission denied: a/b");
  }

  @Test
  void unchecked_countsAsItsCause() {
    assertThat(print(new UncheckedIOException(new NoSuchFileException("a")), false)).isEqualTo(3);
  }

  @Test
  void message_ofSeveralLines_becomesOne() {
    print(new IOException("one\n  two\r\nthree"), false);
    assertThat(err.toString().strip()).isEqualTo("matryoshka-sae x: one two three");
  }

  @Test
  void memory_exhausted_saysWhatToDo() {
    assertThat(print(new OutOfMemoryError("Java heap space"), false)).isEqualTo(8);
    assertThat(err.toString()).contains("Java heap space", "-Xmx");
  }

  @Test
  void defect_asksForAReport() {
    assertThat(print(new IllegalStateException("odd"), false)).isEqualTo(70);
    assertThat(err.toString()).contains("internal error", "odd", "--stack-trace").hasLineCount(1);
  }

  @Test
  void stackTrace_onRequest_follows() {
    print(new IOException("odd"), true);
    assertThat(err.toString()).contains("odd", "\tat " + ErrorLineTest.class.getName());
  }
}
