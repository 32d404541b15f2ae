package io.matryoshka.sae.hub;

import java.util.Map;

/** One way in which a {@link FakeHub} misbehaves, for one answer. */
public sealed interface Fault {
  /** Breaks the connection off after some bytes of the body. */
  record Cut(long afterBytes) implements Fault {}

  /** Answers 200 whatever was asked for, and breaks off after some bytes. */
  record CutWithoutRanges(long afterBytes) implements Fault {}

  /** Sends some bytes of the body and then nothing, with the connection open. */
  record Stall(long afterBytes) implements Fault {}

  /** Keeps the connection open and sends nothing at all. */
  record Silence() implements Fault {}

  /** Sends the body in small pieces with pauses. */
  record Drip(int pieceBytes, long pauseMillis) implements Fault {}

  /** Answers with a status and headers instead of the file. */
  record Status(int code, Map<String, String> headers) implements Fault {}

  /** Announces and sends a body that is longer or shorter than the file. */
  record WrongLength(long delta) implements Fault {}

  /** Sends more bytes than the file has, without announcing a length. */
  record Endless() implements Fault {}

  /** Flips the bits of one byte. */
  record Corrupt(long position) implements Fault {}

  /** Answers 200 with the whole file although a range was asked for. */
  record IgnoreRange() implements Fault {}

  /** Says and sends another range than the one asked for. */
  record WrongContentRange() implements Fault {}

  /** Answers 206 without saying which range. */
  record NoContentRange() implements Fault {}

  /** Claims in {@code Content-Range} another length of the whole file. */
  record WrongTotal(long delta) implements Fault {}

  /** Redirects to itself. */
  record RedirectLoop() implements Fault {}

  /** Sends the body encoded, though that was not asked for. */
  record Encoded() implements Fault {}

  /** Closes the connection instead of answering. */
  record Reset() implements Fault {}
}
