package io.matryoshka.sae.hub;

/** The cache folder cannot be written: no permission, read-only, or no space left. */
public final class CacheWriteException extends HubException {
  private static final long serialVersionUID = 1L;

  CacheWriteException(String message) {
    super(message);
  }

  CacheWriteException(String message, Throwable cause) {
    super(message, cause);
  }
}
