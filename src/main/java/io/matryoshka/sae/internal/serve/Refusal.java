package io.matryoshka.sae.internal.serve;

import io.matryoshka.sae.internal.serve.view.ViewException;
import java.util.Locale;

/** The answers of docs/serve-api.md to calls that are not served. */
enum Refusal {
  BAD_REQUEST(400),
  TOKEN_NEEDED(401),
  FORBIDDEN(403),
  NOT_FOUND(404),
  METHOD_NOT_ALLOWED(405),
  NO_MODEL(409),
  NO_LABEL_FILE(409),
  DOES_NOT_FIT(409),
  BODY_TOO_LARGE(413),
  TEXT_TOO_LONG(413),
  NOT_JSON(415),
  TOO_MANY_CALLS(429),
  FAILED(500),
  STOPPING(503);

  private final int status;

  Refusal(int status) {
    this.status = status;
  }

  int status() {
    return status;
  }

  String code() {
    return name().toLowerCase(Locale.ROOT);
  }

  static Refusal of(ViewException.Kind kind) {
    return switch (kind) {
      case BAD_REQUEST -> BAD_REQUEST;
      case NOT_FOUND -> NOT_FOUND;
      case NO_MODEL -> NO_MODEL;
      case NO_LABEL_FILE -> NO_LABEL_FILE;
      case DOES_NOT_FIT -> DOES_NOT_FIT;
      case TEXT_TOO_LONG -> TEXT_TOO_LONG;
    };
  }
}
