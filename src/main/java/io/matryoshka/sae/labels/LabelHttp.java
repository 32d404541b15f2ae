package io.matryoshka.sae.labels;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Redirect;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Gets small answers of public servers, with limits on time and size, and a few more tries. */
final class LabelHttp {

  private static final int TRIES = 3;
  private static final int OK = 200;
  private static final int NOT_FOUND = 404;
  private static final int TOO_MANY_REQUESTS = 429;
  private static final int SERVER_FAULT = 500;

  private final HttpClient client;
  private final Duration timeout;

  LabelHttp(Duration timeout) {
    this.timeout = timeout;
    this.client =
        HttpClient.newBuilder().connectTimeout(timeout).followRedirects(Redirect.NORMAL).build();
  }

  /**
   * Gets the bytes of an address.
   *
   * @param maxBytes the longest answer that is taken
   * @return the bytes; empty where the server says that there is nothing
   * @throws IOException if no try succeeds
   */
  Optional<byte[]> get(URI address, int maxBytes) throws IOException {
    for (int attempt = 1; ; attempt++) {
      try {
        return once(address, maxBytes);
      } catch (LabelException e) {
        throw e;
      } catch (InterruptedIOException e) {
        throw e;
      } catch (IOException e) {
        if (attempt == TRIES) {
          throw new LabelException(address + " cannot be read: " + e.getMessage(), e);
        }
        pause(attempt);
      }
    }
  }

  private Optional<byte[]> once(URI address, int maxBytes) throws IOException {
    HttpRequest request = HttpRequest.newBuilder(address).timeout(timeout).build();
    CompletableFuture<HttpResponse<InputStream>> sent =
        client.sendAsync(request, BodyHandlers.ofInputStream());
    CompletableFuture<Optional<byte[]>> read =
        sent.thenApplyAsync(response -> body(response, address, maxBytes));
    try {
      return read.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw (IOException)
          new InterruptedIOException("fetching labels was interrupted").initCause(e);
    } catch (TimeoutException e) {
      throw new IOException("no whole answer within " + timeout.toMillis() + " ms", e);
    } catch (ExecutionException e) {
      throw unwrapped(e.getCause());
    } finally {
      sent.thenAccept(response -> closeQuietly(response.body()));
      sent.cancel(true);
    }
  }

  private static Optional<byte[]> body(
      HttpResponse<InputStream> response, URI address, int maxBytes) {
    try (InputStream in = response.body()) {
      int status = response.statusCode();
      if (status == NOT_FOUND) {
        return Optional.empty();
      }
      if (status != OK) {
        String message = address + " answered with HTTP status " + status;
        boolean passing = status == TOO_MANY_REQUESTS || status >= SERVER_FAULT;
        throw passing ? new IOException(message) : new LabelException(message);
      }
      byte[] bytes = in.readNBytes(maxBytes + 1);
      if (bytes.length > maxBytes) {
        throw new LabelException(address + " has more than " + maxBytes + " bytes");
      }
      return Optional.of(bytes);
    } catch (IOException e) {
      throw new CompletionException(e);
    }
  }

  private static IOException unwrapped(Throwable cause) {
    Throwable inner =
        cause instanceof CompletionException && cause.getCause() != null ? cause.getCause() : cause;
    return inner instanceof IOException e ? e : new IOException(inner.toString(), inner);
  }

  private static void closeQuietly(InputStream in) {
    try {
      in.close();
    } catch (IOException e) {
      // The answer is not needed any more.
    }
  }

  private static void pause(int attempt) throws InterruptedIOException {
    try {
      Thread.sleep(100L << attempt);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("fetching labels was interrupted");
    }
  }
}
