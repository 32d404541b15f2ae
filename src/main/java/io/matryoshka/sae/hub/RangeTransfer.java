package io.matryoshka.sae.hub;

import io.matryoshka.sae.hub.HttpGateway.Answer;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Brings one range of a file over the network, going on where a broken connection has left off.
 *
 * <p>A transfer that {@code mayRestart} falls back to the whole file, from its start, when the
 * server turns out not to serve ranges; any other then fails with {@link
 * RangesUnsupportedException}.
 */
final class RangeTransfer {
  private static final Pattern CONTENT_RANGE =
      Pattern.compile("bytes (\\d{1,18})-(\\d{1,18})/(\\d{1,18}|\\*)");

  private final RemoteSource source;
  private final RetryPolicy retries;
  private final TransferSink sink;
  private final boolean mayRestart;
  private long position;
  private OptionalLong end;
  private long furthest;
  private boolean useRange;

  /**
   * Prepares a transfer.
   *
   * @param from first byte
   * @param to end, exclusive; empty for a file of unknown length
   */
  RangeTransfer(
      RemoteSource source,
      RetryPolicy retries,
      TransferSink sink,
      long from,
      OptionalLong to,
      boolean mayRestart) {
    this.source = source;
    this.retries = retries;
    this.sink = sink;
    this.mayRestart = mayRestart;
    this.position = from;
    this.furthest = from;
    this.end = to;
    this.useRange = from > 0 || !to.equals(source.metadata().size());
  }

  /**
   * Transfers.
   *
   * @return where it ended: at {@code to}, or at the end of the file after a fall-back
   */
  long run() throws IOException {
    int failures = 0;
    while (end.isEmpty() || position < end.getAsLong()) {
      long before = furthest;
      HubException failure;
      try {
        request();
        return position;
      } catch (HubUnavailableException | RateLimitedException e) {
        failure = e;
      }
      failures = furthest > before ? 1 : failures + 1;
      retries.awaitRetry(failures, failure);
      useRange |= position > 0;
    }
    return position;
  }

  private void request() throws IOException {
    Answer answer = source.get(useRange ? Optional.of(range()) : Optional.empty());
    try (StallTimeoutBody body = answer.response().body()) {
      requireIdentity(answer);
      switch (answer.status()) {
        case 206:
          checkRange(answer);
          break;
        case 416:
          refuseRange(answer, "416 Range Not Satisfiable");
          break;
        default:
          wholeFile(answer);
      }
      copy(body);
    }
  }

  private String range() {
    return "bytes=" + position + "-" + (end.isPresent() ? end.getAsLong() - 1 : "");
  }

  private void checkRange(Answer answer) throws IOException {
    String header = answer.header("Content-Range").orElse("");
    Matcher range = CONTENT_RANGE.matcher(header.strip());
    if (!useRange || !range.matches() || Long.parseLong(range.group(1)) != position) {
      refuseRange(answer, "206 with Content-Range '" + header + "'");
      return;
    }
    OptionalLong size = source.metadata().size();
    String total = range.group(3);
    if (!total.equals("*")) {
      long length = Long.parseLong(total);
      if (size.isPresent() && size.getAsLong() != length) {
        throw wrongLength(size.getAsLong(), length);
      }
      end = end.isPresent() ? end : OptionalLong.of(length);
    }
  }

  /** The server did not serve the range asked for: start over without one, if that is allowed. */
  private void refuseRange(Answer answer, String got) throws IOException {
    String message =
        "Download "
            + source.file()
            + " from "
            + HubUris.printable(answer.uri())
            + ": expected 206 with the range "
            + (useRange ? range() : "of the whole file")
            + ", got "
            + got;
    if (!mayRestart) {
      throw new RangesUnsupportedException(message + "; download the whole file instead");
    }
    startOver();
    useRange = false;
    throw new HubUnavailableException(message + "; try again later");
  }

  private void wholeFile(Answer answer) throws IOException {
    if (useRange) {
      if (!mayRestart) {
        throw new RangesUnsupportedException(
            "Read a part of "
                + source.file()
                + " from "
                + HubUris.printable(answer.uri())
                + ": expected 206, got 200 with the whole file; download the whole file instead");
      }
      startOver();
    }
    OptionalLong length = answer.response().headers().firstValueAsLong("Content-Length");
    OptionalLong size = source.metadata().size();
    if (size.isPresent() && length.isPresent() && size.getAsLong() != length.getAsLong()) {
      throw wrongLength(size.getAsLong(), length.getAsLong());
    }
    end = size.isPresent() ? size : length;
  }

  private void startOver() throws IOException {
    if (position > 0) {
      sink.restart();
    }
    position = 0;
    end = source.metadata().size();
  }

  private void copy(StallTimeoutBody body) throws IOException {
    List<ByteBuffer> data = next(body);
    while (!data.isEmpty()) {
      long length = data.stream().mapToLong(ByteBuffer::remaining).sum();
      if (end.isPresent() && position + length > end.getAsLong()) {
        throw new IntegrityException(
            "Download "
                + source.file()
                + ": expected the data to end at byte "
                + end.getAsLong()
                + ", got more; the server or a proxy in between is at fault, try again later");
      }
      sink.write(data, position);
      position += length;
      furthest = Math.max(furthest, position);
      data = next(body);
    }
    if (end.isPresent() && position < end.getAsLong()) {
      throw source.unreachable(
          new IOException("connection closed at byte " + position + " of " + end.getAsLong()));
    }
  }

  private List<ByteBuffer> next(StallTimeoutBody body) throws IOException {
    try {
      return body.next();
    } catch (InterruptedIOException e) {
      throw e;
    } catch (IOException e) {
      throw source.unreachable(e);
    }
  }

  private void requireIdentity(Answer answer) throws IntegrityException {
    String encoding = answer.header("Content-Encoding").orElse("identity");
    if (!encoding.equalsIgnoreCase("identity")) {
      throw new IntegrityException(
          "Download "
              + source.file()
              + ": expected the plain bytes, got Content-Encoding '"
              + encoding
              + "'; check the proxy");
    }
  }

  private IntegrityException wrongLength(long expected, long got) {
    return new IntegrityException(
        "Download "
            + source.file()
            + ": the Hub announced "
            + expected
            + " bytes, the server has "
            + got
            + "; try again later, and check HF_ENDPOINT and the proxy");
  }
}
