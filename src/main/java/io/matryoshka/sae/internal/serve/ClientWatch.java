package io.matryoshka.sae.internal.serve;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.Request;

/**
 * Notices that the page behind a call has gone. The server library reads nothing from a connection
 * while its call is answered, so the end of the stream stays unseen; here it is looked for a few
 * times a second. Whoever sends on before its answer has come is cut off, since what was read here
 * is lost. A call must leave the watch before its answer ends.
 */
final class ClientWatch implements AutoCloseable {

  private static final long EVERY_MILLIS = 200;

  private final Map<Request, Runnable> watched = new HashMap<>();
  private final ScheduledExecutorService clock =
      Executors.newSingleThreadScheduledExecutor(
          work -> {
            Thread thread = new Thread(work, "serve-watch");
            thread.setDaemon(true);
            return thread;
          });

  ClientWatch() {
    clock.scheduleWithFixedDelay(this::look, EVERY_MILLIS, EVERY_MILLIS, TimeUnit.MILLISECONDS);
  }

  synchronized void add(Request request, Runnable gone) {
    watched.put(request, gone);
  }

  synchronized void remove(Request request) {
    watched.remove(request);
  }

  private synchronized void look() {
    Map<Request, Runnable> left = new HashMap<>(watched);
    left.keySet().removeIf(request -> !isGone(request));
    left.forEach(
        (request, gone) -> {
          watched.remove(request);
          gone.run();
        });
  }

  private static boolean isGone(Request request) {
    EndPoint connection = request.getConnectionMetaData().getConnection().getEndPoint();
    if (!connection.isOpen()) {
      return true;
    }
    if (!(connection.getTransport() instanceof SocketChannel channel)) {
      return false;
    }
    try {
      int read = channel.read(ByteBuffer.allocate(1));
      if (read > 0) {
        connection.close();
      }
      return read != 0;
    } catch (IOException e) {
      return true;
    }
  }

  @Override
  public void close() {
    clock.shutdownNow();
  }
}
