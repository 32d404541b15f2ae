package io.matryoshka.sae.internal.kernel.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Batches of small tasks on the workers. */
class CrewTest {

  private final Crew crew = new Crew();

  @Test
  void run_manyBatches_runsEachTaskOnceOnWorkers() {
    for (int count = 0; count < 300; count++) {
      AtomicIntegerArray runs = new AtomicIntegerArray(Math.max(1, count));
      boolean[] elsewhere = {false};
      crew.run(
          count,
          i -> {
            runs.getAndIncrement(i);
            elsewhere[0] |= !Workers.isWorker();
          });
      int size = count;
      assertThat(IntStream.range(0, size).map(runs::get)).hasSize(size).allMatch(n -> n == 1);
      assertThat(elsewhere[0]).as("%d tasks", count).isEqualTo(count == 1);
    }
  }

  @Test
  void run_tasksThatWaitForEachOther_haveAsManyThreadsAsWorkers() throws InterruptedException {
    int workers = Workers.count();
    CountDownLatch here = new CountDownLatch(workers);
    Set<Thread> threads = ConcurrentHashMap.newKeySet();
    crew.run(
        workers,
        i -> {
          threads.add(Thread.currentThread());
          here.countDown();
          try {
            assertThat(here.await(30, TimeUnit.SECONDS)).isTrue();
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
        });
    assertThat(threads).hasSize(workers);
  }

  @Test
  void run_failingTask_throwsWhatItThrowsAndGoesOn() {
    IllegalStateException failure = new IllegalStateException("task 3");
    assertThatThrownBy(
            () ->
                crew.run(
                    8,
                    i -> {
                      if (i == 3) {
                        throw failure;
                      }
                    }))
        .isSameAs(failure);
    AtomicIntegerArray runs = new AtomicIntegerArray(8);
    crew.run(8, runs::getAndIncrement);
    assertThat(IntStream.range(0, 8).map(runs::get)).containsOnly(1);
  }

  @Test
  void run_otherWorkAfterwards_getsAWorkerAtOnce() {
    crew.run(8, i -> {});
    assertThat(Workers.call(() -> "done")).isEqualTo("done");
  }
}
