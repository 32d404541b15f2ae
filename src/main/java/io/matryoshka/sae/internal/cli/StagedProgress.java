package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.explore.Explorer;

/** Shows a bar for one task after the other. */
final class StagedProgress implements Explorer.Listener, AutoCloseable {

  private final Output output;
  private String task = "";
  private Progress bar;

  StagedProgress(Output output) {
    this.output = output;
  }

  @Override
  public void step(String name, long done, long total) {
    if (!name.equals(task)) {
      close();
      task = name;
      bar = output.progress(name, "", total);
    }
    bar.stepTo(done);
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
      bar = null;
      task = "";
    }
  }
}
