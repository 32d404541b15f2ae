package io.matryoshka.sae.internal.serve;

import java.util.Objects;
import java.util.Optional;

/**
 * Where to listen, and to whom.
 *
 * @param host the address or name to listen on
 * @param port the port, 0 for any that is free
 * @param token what every call must carry; empty where only this machine can call
 */
public record ServeOptions(String host, int port, Optional<String> token) {

  /** The address that only this machine reaches. */
  public static final String LOOPBACK = "127.0.0.1";

  /**
   * Checks the parts.
   *
   * @param host the address or name
   * @param port the port
   * @param token the token
   * @throws IllegalArgumentException if there is no such port
   */
  public ServeOptions {
    Objects.requireNonNull(host, "host");
    Objects.requireNonNull(token, "token");
    if (port < 0 || port > 65535) {
      throw new IllegalArgumentException("port: expected 0 to 65535, got " + port);
    }
  }

  /**
   * Listens to this machine alone.
   *
   * @param port the port, 0 for any that is free
   * @return options without a token
   */
  public static ServeOptions loopback(int port) {
    return new ServeOptions(LOOPBACK, port, Optional.empty());
  }
}
