package io.matryoshka.sae.hub;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Reads many ranges of one file over several connections and hands them over in order. At most two
 * ranges a connection are held in memory.
 */
final class OrderedRangeReader {
  private static final int RANGES_AHEAD = 2;

  private final RemoteFile file;
  private final List<ByteRange> ranges;
  private final int connections;
  private final ProgressReporter progress;

  OrderedRangeReader(
      RemoteFile file, List<ByteRange> ranges, int connections, ProgressReporter progress) {
    this.file = file;
    this.ranges = ranges;
    this.connections = Math.min(connections, ranges.size());
    this.progress = progress;
  }

  void run(RangeConsumer consumer) throws IOException {
    progress.start(0);
    boolean success = false;
    ExecutorService threads = Executors.newFixedThreadPool(connections, OrderedRangeReader::daemon);
    try {
      consume(threads, consumer);
      success = true;
    } catch (ExecutionException e) {
      throw ParallelTransfer.asIoException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("Interrupted while reading parts of " + file.file());
    } finally {
      threads.shutdownNow();
      progress.end(success);
    }
  }

  private void consume(ExecutorService threads, RangeConsumer consumer)
      throws IOException, ExecutionException, InterruptedException {
    Deque<Future<ByteBuffer>> ahead = new ArrayDeque<>();
    int submitted = 0;
    for (ByteRange range : ranges) {
      while (submitted < ranges.size() && ahead.size() < RANGES_AHEAD * connections) {
        ByteRange next = ranges.get(submitted++);
        ahead.add(threads.submit(() -> read(next)));
      }
      ByteBuffer data = ahead.remove().get();
      consumer.accept(range, data);
      progress.add(range.length());
    }
  }

  private ByteBuffer read(ByteRange range) throws IOException {
    ByteBuffer data = ByteBuffer.allocate(range.length());
    file.read(range.offset(), data);
    return data.flip();
  }

  private static Thread daemon(Runnable task) {
    Thread thread = new Thread(task, "hub-read");
    thread.setDaemon(true);
    return thread;
  }
}
