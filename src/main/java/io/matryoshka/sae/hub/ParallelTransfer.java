package io.matryoshka.sae.hub;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.BitSet;
import java.util.OptionalLong;
import java.util.concurrent.CompletionService;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/** Brings the rest of a large file over several connections, in chunks of equal length. */
final class ParallelTransfer {
  private final RemoteSource source;
  private final HubSettings settings;
  private final PartSink sink;
  private final long start;
  private final long size;
  private final int chunks;
  private final BitSet done = new BitSet();

  ParallelTransfer(
      RemoteSource source, HubSettings settings, PartSink sink, long start, long size) {
    this.source = source;
    this.settings = settings;
    this.sink = sink;
    this.start = start;
    this.size = size;
    this.chunks =
        Math.toIntExact((size - start + settings.chunkBytes() - 1) / settings.chunkBytes());
  }

  void run() throws IOException {
    sink.leaveOrder(start);
    ExecutorService threads =
        Executors.newFixedThreadPool(
            Math.min(settings.connections(), chunks),
            task -> {
              Thread thread = new Thread(task, "hub-download");
              thread.setDaemon(true);
              return thread;
            });
    try {
      CompletionService<Integer> results = new ExecutorCompletionService<>(threads);
      for (int i = 0; i < chunks; i++) {
        int chunk = i;
        results.submit(() -> transfer(chunk));
      }
      for (int i = 0; i < chunks; i++) {
        done.set(results.take().get());
        sink.advance(begin(done.nextClearBit(0)));
      }
    } catch (ExecutionException e) {
      throw asIoException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("Interrupted while downloading " + source.file());
    } finally {
      stop(threads);
    }
  }

  private int transfer(int chunk) throws IOException {
    new RangeTransfer(
            source,
            settings.retries(),
            sink,
            begin(chunk),
            OptionalLong.of(begin(chunk + 1)),
            false)
        .run();
    return chunk;
  }

  private long begin(int chunk) {
    return Math.min(size, start + chunk * settings.chunkBytes());
  }

  /** Waits for the threads, so that none writes into a file that is no longer theirs. */
  private static void stop(ExecutorService threads) {
    threads.shutdownNow();
    boolean interrupted = false;
    boolean ended = false;
    while (!ended) {
      try {
        ended = threads.awaitTermination(1, TimeUnit.MINUTES);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  static IOException asIoException(ExecutionException e) {
    if (e.getCause() instanceof IOException failure) {
      return failure;
    }
    if (e.getCause() instanceof Error error) {
      throw error;
    }
    return new IOException("download failed: " + e.getCause(), e.getCause());
  }
}
