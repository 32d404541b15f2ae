package io.matryoshka.sae.internal.kernel.cpu;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.internal.kernel.Csr;
import io.matryoshka.sae.internal.kernel.SelectionRule;
import io.matryoshka.sae.internal.kernel.Tuning;
import java.nio.FloatBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.function.Function;

/**
 * Makes one call of the calls of several threads: while one runs, others wait, and the first of
 * them takes all that wait with it. A call of few rows is bound by reading the codes of the
 * encoder, which all rows of a call share. Nobody waits for more than the call that runs and the
 * one that its rows are part of.
 *
 * <p>Values do not depend on how rows are cut into calls, so each caller gets what it would get
 * alone. Where a joint call fails, each is made alone, so that the failure meets its cause.
 */
final class Gathering {

  private final Function<Call, Csr> encoder;
  private final Deque<Waiting> waiting = new ArrayDeque<>();
  private boolean running;

  /**
   * Gathers the calls of an encoder.
   *
   * @param encoder encodes the rows of a call
   */
  Gathering(Function<Call, Csr> encoder) {
    this.encoder = encoder;
  }

  /**
   * Rows to encode.
   *
   * @param rows {@code [n, d_in]} float32
   * @param shift {@code [d_in]} is subtracted from every row, or null
   * @param width leading latents to look at
   * @param rule which pre-activations become active, row by row
   */
  record Call(NDArray rows, NDArray shift, int width, SelectionRule rule) {

    int count() {
      return Math.toIntExact(rows.getShape().get(0));
    }

    boolean fits(Call other) {
      return shift == other.shift && width == other.width && rule.equals(other.rule);
    }
  }

  private static final class Waiting {
    private final Call call;
    private boolean done;
    private Csr result;
    private Throwable failure;

    Waiting(Call call) {
      this.call = call;
    }

    Csr result() {
      if (failure instanceof RuntimeException e) {
        throw e;
      }
      if (failure instanceof Error e) {
        throw e;
      }
      return result;
    }
  }

  /**
   * Encodes rows, alone or with those of other threads.
   *
   * @param call its rows must stay as they are until this returns
   * @return the active latents of its rows
   */
  Csr encode(Call call) {
    Waiting mine = new Waiting(call);
    List<Waiting> together = enter(mine);
    if (!together.isEmpty()) {
      try {
        run(together);
      } finally {
        leave(together);
      }
    }
    return mine.result();
  }

  /** Waits until a call is done, or until it is its turn: then returns what to run with it. */
  private synchronized List<Waiting> enter(Waiting mine) {
    waiting.add(mine);
    boolean interrupted = false;
    while (!mine.done && (running || waiting.peek() != mine)) {
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    if (mine.done) {
      return List.of();
    }
    running = true;
    return takeFirst();
  }

  /** Takes the call that waits longest, and those that fit, from the queue. */
  private List<Waiting> takeFirst() {
    Waiting first = waiting.remove();
    List<Waiting> taken = new ArrayList<>(List.of(first));
    int rows = first.call.count();
    Iterator<Waiting> others = waiting.iterator();
    while (others.hasNext()) {
      Waiting other = others.next();
      if (other.call.fits(first.call) && rows + other.call.count() <= Tuning.BLOCK_ROWS) {
        rows += other.call.count();
        taken.add(other);
        others.remove();
      }
    }
    return taken;
  }

  /** Number of calls that wait. */
  synchronized int waiting() {
    return waiting.size();
  }

  private synchronized void leave(List<Waiting> together) {
    together.forEach(one -> one.done = true);
    running = false;
    notifyAll();
  }

  private void run(List<Waiting> together) {
    if (together.size() == 1) {
      runAlone(together.get(0));
      return;
    }
    try {
      runTogether(together);
    } catch (RuntimeException | Error e) {
      together.forEach(this::runAlone);
    }
  }

  private void runAlone(Waiting one) {
    try {
      one.result = encoder.apply(one.call);
    } catch (RuntimeException | Error e) {
      one.failure = e;
    }
  }

  private void runTogether(List<Waiting> together) {
    Call first = together.get(0).call;
    long count = together.stream().mapToLong(one -> one.call.count()).sum();
    try (NDManager scope = first.rows.getManager().newSubManager()) {
      Shape shape = new Shape(count, first.rows.getShape().get(1));
      NDArray rows = scope.create(shape, DataType.FLOAT32);
      FloatBuffer target = ActivationRows.floats(rows);
      together.forEach(one -> target.put(ActivationRows.floats(one.call.rows)));
      hand(encoder.apply(new Call(rows, first.shift, first.width, first.rule)), together);
    }
  }

  private static void hand(Csr all, List<Waiting> together) {
    int row = 0;
    for (Waiting one : together) {
      one.result = all.rows(row, row + one.call.count());
      row += one.call.count();
    }
  }
}
