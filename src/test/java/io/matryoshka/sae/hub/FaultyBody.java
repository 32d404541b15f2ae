package io.matryoshka.sae.hub;

import io.matryoshka.sae.hub.LoopbackServer.Request;
import io.matryoshka.sae.hub.LoopbackServer.Response;
import java.io.ByteArrayOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Sends one body, right or wrong in one given way. */
final class FaultyBody {
  private static final Pattern RANGE = Pattern.compile("bytes=(\\d+)-(\\d*)");
  private static final long STALL_MILLIS = 60_000;

  private final Request request;
  private final Response response;
  private final FakeContent content;
  private final Map<String, String> headers;
  private final AtomicLong sent;
  private final long size;
  private long from;
  private long to;
  private int status = 200;

  FaultyBody(
      Request request,
      Response response,
      FakeContent content,
      Map<String, String> headers,
      AtomicLong sent) {
    this.request = request;
    this.response = response;
    this.content = content;
    this.headers = new LinkedHashMap<>(headers);
    this.sent = sent;
    this.size = content.size();
    this.to = size;
  }

  /** Returns whether the connection may be used again. */
  boolean send(Optional<Fault> maybe) throws IOException, InterruptedException {
    Optional<String> range = request.header("Range");
    if (range.isPresent() && maybe.filter(FaultyBody::isWithoutRanges).isEmpty()) {
      Matcher matcher = RANGE.matcher(range.get());
      matcher.matches();
      from = Long.parseLong(matcher.group(1));
      to = matcher.group(2).isEmpty() ? size : Math.min(size, Long.parseLong(matcher.group(2)) + 1);
      if (from >= size) {
        return FakeHub.empty(response, 416, "Content-Range", "bytes */" + size);
      }
      status = 206;
      headers.put("Content-Range", "bytes " + from + "-" + (to - 1) + "/" + size);
    }
    headers.put("Content-Length", Long.toString(to - from));
    if (maybe.isPresent()) {
      return act(maybe.get());
    }
    body(start(), from, to);
    return true;
  }

  private static boolean isWithoutRanges(Fault fault) {
    return fault instanceof Fault.IgnoreRange || fault instanceof Fault.CutWithoutRanges;
  }

  private boolean act(Fault fault) throws IOException, InterruptedException {
    if (fault instanceof Fault.Cut cut) {
      body(start(), from, Math.min(to, from + cut.afterBytes()));
      return false;
    }
    if (fault instanceof Fault.CutWithoutRanges cut) {
      body(start(), from, Math.min(to, cut.afterBytes()));
      return false;
    }
    if (fault instanceof Fault.Stall stall) {
      OutputStream out = start();
      body(out, from, Math.min(to, from + stall.afterBytes()));
      out.flush();
      Thread.sleep(STALL_MILLIS);
      return false;
    }
    if (fault instanceof Fault.Silence) {
      Thread.sleep(STALL_MILLIS);
      return false;
    }
    if (fault instanceof Fault.Drip drip) {
      OutputStream out = start();
      for (long at = from; at < to; at += drip.pieceBytes()) {
        body(out, at, Math.min(to, at + drip.pieceBytes()));
        if (drip.pauseMillis() > 0) {
          out.flush();
          Thread.sleep(drip.pauseMillis());
        }
      }
      return true;
    }
    if (fault instanceof Fault.Status other) {
      other.headers().forEach(headers::put);
      headers.put("Content-Length", "0");
      headers.remove("Content-Range");
      response.start(other.code(), headers);
      return true;
    }
    if (fault instanceof Fault.Corrupt corrupt) {
      corrupt(start(), corrupt.position());
      return true;
    }
    return lie(fault);
  }

  private boolean lie(Fault fault) throws IOException {
    if (fault instanceof Fault.WrongLength wrong) {
      headers.put("Content-Length", Long.toString(to - from + wrong.delta()));
      OutputStream out = start();
      body(out, from, to + Math.min(0, wrong.delta()));
      out.write(new byte[(int) Math.max(0, wrong.delta())]);
    } else if (fault instanceof Fault.Endless) {
      headers.remove("Content-Length");
      headers.put("Connection", "close");
      OutputStream out = start();
      for (int i = 0; i < 100; i++) {
        body(out, from, to);
      }
    } else if (fault instanceof Fault.WrongContentRange) {
      if (status == 206) {
        headers.put("Content-Range", "bytes " + (from + 1) + "-" + to + "/" + size);
      }
      body(start(), from, to);
    } else if (fault instanceof Fault.NoContentRange) {
      headers.remove("Content-Range");
      body(start(), from, to);
    } else if (fault instanceof Fault.WrongTotal wrong) {
      if (status == 206) {
        headers.put(
            "Content-Range", "bytes " + from + "-" + (to - 1) + "/" + (size + wrong.delta()));
      }
      body(start(), from, to);
    } else if (fault instanceof Fault.RedirectLoop) {
      return FakeHub.empty(response, 302, "Location", request.path());
    } else if (fault instanceof Fault.Encoded) {
      headers.put("Content-Encoding", "gzip");
      body(start(), from, to);
    } else if (fault instanceof Fault.IgnoreRange) {
      body(start(), from, to);
      return true;
    }
    return false; // Reset: nothing at all.
  }

  private OutputStream start() throws IOException {
    return response.start(status, headers);
  }

  private void body(OutputStream out, long begin, long end) throws IOException {
    OutputStream counting =
        new FilterOutputStream(out) {
          @Override
          public void write(byte[] bytes, int offset, int length) throws IOException {
            sent.addAndGet(length); // First, as the client may look once it has the bytes.
            out.write(bytes, offset, length);
          }
        };
    content.write(begin, end - begin, counting);
  }

  private void corrupt(OutputStream out, long position) throws IOException {
    ByteArrayOutputStream copy = new ByteArrayOutputStream();
    content.write(from, to - from, copy);
    byte[] bytes = copy.toByteArray();
    if (position >= from && position < to) {
      bytes[(int) (position - from)] ^= (byte) 0xff;
    }
    sent.addAndGet(bytes.length);
    out.write(bytes);
  }
}
