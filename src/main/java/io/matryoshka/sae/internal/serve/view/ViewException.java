package io.matryoshka.sae.internal.serve.view;

import java.util.OptionalLong;

/** A request that cannot be answered; the message says in the reader's words why. */
public final class ViewException extends RuntimeException {

  private static final long serialVersionUID = 1;

  /** The kinds of refusals. */
  public enum Kind {
    /** A field is missing, unknown or out of range. */
    BAD_REQUEST,
    /** There is no such SAE or latent. */
    NOT_FOUND,
    /** The SAE has no language model here. */
    NO_MODEL,
    /** Labels cannot be kept. */
    NO_LABEL_FILE,
    /** The parts of the request do not fit together. */
    DOES_NOT_FIT,
    /** The text has more characters or tokens than are read. */
    TEXT_TOO_LONG
  }

  private final Kind kind;
  private final transient OptionalLong limit;
  private final transient OptionalLong given;

  private ViewException(Kind kind, String message, OptionalLong limit, OptionalLong given) {
    super(message);
    this.kind = kind;
    this.limit = limit;
    this.given = given;
  }

  /**
   * Makes a refusal.
   *
   * @param kind its kind
   * @param message what was given, what was expected, and what to do next
   */
  public ViewException(Kind kind, String message) {
    this(kind, message, OptionalLong.empty(), OptionalLong.empty());
  }

  static ViewException badRequest(String message) {
    return new ViewException(Kind.BAD_REQUEST, message);
  }

  static ViewException textTooLong(String unit, long given, long limit) {
    return new ViewException(
        Kind.TEXT_TOO_LONG,
        "the text has %d %s; at most %d are read here".formatted(given, unit, limit),
        OptionalLong.of(limit),
        OptionalLong.of(given));
  }

  /**
   * Returns the kind.
   *
   * @return what was wrong
   */
  public Kind kind() {
    return kind;
  }

  /**
   * Returns the limit that was passed.
   *
   * @return the limit, empty if none was
   */
  public OptionalLong limit() {
    return limit;
  }

  /**
   * Returns how much was given.
   *
   * @return the number that is beyond the limit, empty if there is none
   */
  public OptionalLong given() {
    return given;
  }
}
