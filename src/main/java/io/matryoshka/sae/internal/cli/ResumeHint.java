package io.matryoshka.sae.internal.cli;

import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Tells a person who stops a command (Ctrl-C, SIGTERM) how to go on, as long as this is open. Says
 * nothing when the command ends by itself.
 */
final class ResumeHint implements AutoCloseable {

  private final AtomicBoolean open = new AtomicBoolean(true);
  private final Thread hook;

  private ResumeHint(Runnable tell) {
    hook =
        new Thread(
            () -> {
              if (open.get()) {
                tell.run();
              }
            },
            "matryoshka-resume-hint");
  }

  /**
   * Begins to watch.
   *
   * @param output where to tell
   * @param text what to tell, such as {@code run the same command to go on}
   */
  static ResumeHint whileOpen(Output output, String text) {
    ResumeHint hint = new ResumeHint(() -> output.note("stopped; " + text));
    Runtime.getRuntime().addShutdownHook(hint.hook);
    return hint;
  }

  /** Ends watching. */
  @Override
  public void close() {
    open.set(false);
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      return; // The machine shuts down already.
    }
  }
}
