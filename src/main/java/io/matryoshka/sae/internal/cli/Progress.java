package io.matryoshka.sae.internal.cli;

import java.time.Duration;
import java.util.function.LongSupplier;
import me.tongfei.progressbar.DelegatingProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * A bar with the part done, the rate and the time left, on one line that closing clears. It appears
 * when the task has taken a second. Safe for calls from several threads.
 */
final class Progress implements AutoCloseable {

  private static final Duration DELAY = Duration.ofSeconds(1);
  private static final int REFRESH_MILLIS = 200;
  private static final int COLUMNS = 79;

  /** Takes the text of the bar. */
  @FunctionalInterface
  interface Target {
    void print(String text);
  }

  /** What is counted: the name of a unit, and how many counts make one. */
  record Unit(String name, long size) {}

  static final Unit MEGABYTES = new Unit("MB", 1_000_000);

  private final Target target;
  private final String task;
  private final Unit unit;
  private final LongSupplier nanos;
  private final long startNanos;
  private long total;
  private long start;
  private boolean started;
  private ProgressBar bar;

  Progress(Target target, String task, Unit unit, long total) {
    this(target, task, unit, total, System::nanoTime);
  }

  /** Takes the time from a clock that counts nanoseconds. */
  Progress(Target target, String task, Unit unit, long total, LongSupplier nanos) {
    this.nanos = nanos;
    this.startNanos = nanos.getAsLong();
    this.target = target;
    this.task = task;
    this.unit = unit;
    this.total = total;
  }

  /**
   * Tells how much is done.
   *
   * @param done the count since the beginning of the task
   */
  synchronized void stepTo(long done) {
    if (!started) {
      start = done;
      started = true;
    }
    Duration elapsed = Duration.ofNanos(nanos.getAsLong() - startNanos);
    if (bar == null && elapsed.compareTo(DELAY) >= 0) {
      bar = build(elapsed);
    }
    if (bar != null) {
      bar.stepTo(done);
    }
  }

  /** Corrects how much there is to do, -1 if unknown. */
  synchronized void total(long newTotal) {
    total = newTotal;
    if (bar != null) {
      bar.maxHint(newTotal);
    }
  }

  @Override
  public synchronized void close() {
    if (bar != null) {
      bar.close();
      bar = null;
      target.print("\r" + " ".repeat(COLUMNS) + "\r");
    }
  }

  private ProgressBar build(Duration elapsed) {
    return new ProgressBarBuilder()
        .setTaskName(task)
        .setInitialMax(total)
        .setUnit(" " + unit.name(), unit.size())
        .showSpeed()
        .setStyle(ProgressBarStyle.ASCII)
        .setUpdateIntervalMillis(REFRESH_MILLIS)
        .startsFrom(start, elapsed)
        .setConsumer(new DelegatingProgressBarConsumer(text -> target.print("\r" + text), COLUMNS))
        .build();
  }
}
