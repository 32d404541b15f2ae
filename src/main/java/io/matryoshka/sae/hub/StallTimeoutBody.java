package io.matryoshka.sae.hub;

import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow.Subscription;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A response body that arrives in buffers and fails when none arrives for a while; {@code
 * java.net.http} has a limit for the headers only. At most {@value #WINDOW} portions wait in
 * memory.
 */
final class StallTimeoutBody implements BodySubscriber<StallTimeoutBody>, Closeable {
  private static final int WINDOW = 8;
  private static final long MAX_DISCARDED_BYTES = 1 << 16;
  private static final List<ByteBuffer> END = Collections.unmodifiableList(new ArrayList<>(0));

  private final Duration timeout;
  private final BlockingQueue<List<ByteBuffer>> portions = new LinkedBlockingQueue<>();
  private final CompletableFuture<Subscription> subscription = new CompletableFuture<>();
  private volatile Throwable failure;
  private boolean ended;

  StallTimeoutBody(Duration timeout) {
    this.timeout = timeout;
  }

  /**
   * Waits for the next portion.
   *
   * @return the buffers, or an empty list at the end of the body
   */
  List<ByteBuffer> next() throws IOException {
    while (!ended) {
      List<ByteBuffer> portion = poll();
      if (portion == END) {
        ended = true;
        if (failure != null) {
          throw lost(failure);
        }
      } else {
        subscription.thenAccept(s -> s.request(1));
        if (!portion.isEmpty()) {
          return portion;
        }
      }
    }
    return List.of();
  }

  /** Says that an answer, or the rest of one, did not come. */
  static IOException lost(Throwable cause) {
    return new IOException("connection lost: " + cause.getMessage(), cause);
  }

  private List<ByteBuffer> poll() throws IOException {
    try {
      List<ByteBuffer> portion = portions.poll(timeout.toMillis(), TimeUnit.MILLISECONDS);
      if (portion == null) {
        throw new HttpTimeoutException("no data for " + timeout.toMillis() + " ms");
      }
      return portion;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("Interrupted while reading from the network");
    }
  }

  /** Reads a short rest so that the connection can be used again, then closes. */
  void discard() {
    try (this) {
      long discarded = 0;
      List<ByteBuffer> portion = next();
      while (!portion.isEmpty() && discarded < MAX_DISCARDED_BYTES) {
        discarded += portion.stream().mapToLong(ByteBuffer::remaining).sum();
        portion = next();
      }
    } catch (IOException e) {
      ended = true; // The answer's headers are all that was wanted.
    }
  }

  /** Drops the connection unless the body has been read to its end. */
  @Override
  public void close() {
    if (!ended) {
      ended = true;
      subscription.thenAccept(Subscription::cancel);
    }
  }

  @Override
  public CompletionStage<StallTimeoutBody> getBody() {
    return CompletableFuture.completedFuture(this);
  }

  @Override
  public void onSubscribe(Subscription newSubscription) {
    subscription.complete(newSubscription);
    newSubscription.request(WINDOW);
  }

  @Override
  public void onNext(List<ByteBuffer> item) {
    portions.add(item);
  }

  @Override
  public void onError(Throwable throwable) {
    failure = throwable;
    portions.add(END);
  }

  @Override
  public void onComplete() {
    portions.add(END);
  }
}
