package io.matryoshka.sae.internal.kernel.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.internal.kernel.Csr;
import io.matryoshka.sae.internal.kernel.CsrBuilder;
import io.matryoshka.sae.internal.kernel.SelectionRule;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Calls of several threads at the same time, with an encoder that waits until it may go on. */
@Timeout(60)
class GatheringTest {

  private static final int D_IN = 3;
  private static final int WIDTH = 1024;
  private static final float BAD = -1;

  private final NDManager manager = NDManager.newBaseManager();
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final List<Integer> sizes = Collections.synchronizedList(new ArrayList<>());
  private final CountDownLatch firstRuns = new CountDownLatch(1);
  private final Semaphore mayRun = new Semaphore(0);
  private final Gathering gathering = new Gathering(this::encode);

  @AfterEach
  void close() {
    threads.shutdownNow();
    manager.close();
  }

  /** Each row has one latent: its first number, with the sum of the row as activation. */
  private Csr encode(Gathering.Call call) {
    sizes.add(call.count());
    firstRuns.countDown();
    mayRun.acquireUninterruptibly();
    float[] x = call.rows().toFloatArray();
    CsrBuilder out = new CsrBuilder(call.count());
    for (int row = 0; row < call.count(); row++) {
      if (x[row * D_IN] == BAD) {
        throw new IllegalStateException("a bad row");
      }
      out.add((int) x[row * D_IN], x[row * D_IN] + x[row * D_IN + 1] + x[row * D_IN + 2]);
      out.endRow();
    }
    return out.build();
  }

  private Callable<Csr> caller(int rows, float first, int width) {
    return () -> {
      float[] x = new float[rows * D_IN];
      for (int row = 0; row < rows; row++) {
        x[row * D_IN] = first;
        x[row * D_IN + 1] = row;
      }
      NDArray array = manager.create(x, new Shape(rows, D_IN));
      return gathering.encode(new Gathering.Call(array, null, width, SelectionRule.THRESHOLD));
    };
  }

  /** Starts a call that runs, and then others one after the other, which wait. */
  private List<Future<Csr>> start(List<Callable<Csr>> callers) throws InterruptedException {
    List<Future<Csr>> futures = new ArrayList<>();
    futures.add(threads.submit(callers.get(0)));
    firstRuns.await();
    for (Callable<Csr> caller : callers.subList(1, callers.size())) {
      futures.add(threads.submit(caller));
      while (gathering.waiting() < futures.size() - 1) {
        TimeUnit.MILLISECONDS.sleep(1);
      }
    }
    return futures;
  }

  private static void assertRows(Csr got, int rows, float first) {
    assertThat(got.rows()).isEqualTo(rows);
    for (int row = 0; row < rows; row++) {
      assertThat(got.rowOffsets()[row]).isEqualTo(row);
      assertThat(got.latents()[row]).isEqualTo((int) first);
      assertThat(got.values()[row]).isEqualTo(first + row);
    }
  }

  @Test
  void encode_callsThatWait_becomeOneWithTheRowsOfEach() throws Exception {
    List<Future<Csr>> futures =
        start(List.of(caller(1, 5, WIDTH), caller(2, 6, WIDTH), caller(1, 7, WIDTH)));
    mayRun.release(2);
    assertRows(futures.get(0).get(), 1, 5);
    assertRows(futures.get(1).get(), 2, 6);
    assertRows(futures.get(2).get(), 1, 7);
    assertThat(sizes).containsExactly(1, 3);
  }

  @Test
  void encode_anotherWidth_isACallOfItsOwn() throws Exception {
    List<Future<Csr>> futures =
        start(List.of(caller(1, 5, WIDTH), caller(1, 6, WIDTH), caller(1, 7, 2 * WIDTH)));
    mayRun.release(3);
    for (int i = 0; i < futures.size(); i++) {
      assertRows(futures.get(i).get(), 1, 5 + i);
    }
    assertThat(sizes).containsExactly(1, 1, 1);
  }

  @Test
  void encode_aRowThatFails_failsForItsCallerAlone() throws Exception {
    List<Future<Csr>> futures =
        start(List.of(caller(1, 5, WIDTH), caller(1, BAD, WIDTH), caller(1, 7, WIDTH)));
    mayRun.release(4);
    assertRows(futures.get(0).get(), 1, 5);
    assertThatThrownBy(() -> futures.get(1).get())
        .isInstanceOf(ExecutionException.class)
        .hasRootCauseMessage("a bad row");
    assertRows(futures.get(2).get(), 1, 7);
    assertThat(sizes).containsExactly(1, 2, 1, 1);
  }

  @Test
  void encode_interruptedWhileItWaits_ends_andStaysInterrupted() throws Exception {
    boolean[] interrupted = new boolean[1];
    Thread[] waiter = new Thread[1];
    Callable<Csr> second = caller(1, 6, WIDTH);
    List<Future<Csr>> futures =
        start(
            List.of(
                caller(1, 5, WIDTH),
                () -> {
                  waiter[0] = Thread.currentThread();
                  Csr got = second.call();
                  interrupted[0] = Thread.interrupted();
                  return got;
                }));
    waiter[0].interrupt();
    mayRun.release(2);
    assertRows(futures.get(1).get(), 1, 6);
    assertThat(interrupted[0]).isTrue();
  }
}
