package io.matryoshka.sae.hub;

import io.matryoshka.sae.internal.io.UserPaths;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The environment variables of {@code huggingface_hub}, with its order of precedence. */
final class HubEnvironment {
  private static final Logger LOG = LoggerFactory.getLogger(HubEnvironment.class);
  private static final Set<String> TRUE = Set.of("1", "ON", "YES", "TRUE");
  private static final String DEFAULT_ENDPOINT = "https://huggingface.co";
  private static final int DEFAULT_TIMEOUT_SECONDS = 10;

  private final Map<String, String> variables;
  private final UserPaths paths;

  HubEnvironment(Map<String, String> variables) {
    this.variables = Map.copyOf(variables);
    this.paths = new UserPaths(variables);
  }

  String endpoint() {
    return text("HF_ENDPOINT").orElse(DEFAULT_ENDPOINT);
  }

  Path cacheDir() {
    return path("HF_HUB_CACHE")
        .or(() -> path("HUGGINGFACE_HUB_CACHE"))
        .or(() -> home().map(home -> home.resolve("hub")))
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "there is no home folder that could hold the cache of the Hub; set HF_HOME to a"
                        + " folder that can be written"));
  }

  boolean offline() {
    return text("HF_HUB_OFFLINE")
        .or(() -> text("TRANSFORMERS_OFFLINE"))
        .filter(this::isTrue)
        .isPresent();
  }

  boolean symlinks() {
    return !flag("HF_HUB_DISABLE_SYMLINKS");
  }

  Duration metadataTimeout() {
    return seconds("HF_HUB_ETAG_TIMEOUT");
  }

  Duration downloadTimeout() {
    return seconds("HF_HUB_DOWNLOAD_TIMEOUT");
  }

  /** Finds the token that may be sent although nobody gave one in code. */
  Optional<Token> token() {
    if (flag("HF_HUB_DISABLE_IMPLICIT_TOKEN")) {
      return Optional.empty();
    }
    return variableToken("HF_TOKEN")
        .or(() -> variableToken("HUGGING_FACE_HUB_TOKEN"))
        .or(this::fileToken);
  }

  private Optional<Token> variableToken(String name) {
    return text(name).flatMap(value -> Token.parse(value, name));
  }

  private Optional<Token> fileToken() {
    Optional<Path> file =
        path("HF_TOKEN_PATH")
            .or(() -> home().map(home -> home.resolve("token")))
            .filter(Files::isRegularFile);
    return file.isEmpty() ? Optional.empty() : readToken(file.get());
  }

  private static Optional<Token> readToken(Path file) {
    try {
      return Token.parse(Files.readString(file), file.toString());
    } catch (IOException e) {
      LOG.warn("Token file {} cannot be read ({}); going on without a token", file, e.toString());
      return Optional.empty();
    }
  }

  private Optional<Path> home() {
    return path("HF_HOME")
        .or(() -> path("XDG_CACHE_HOME").map(p -> p.resolve("huggingface")))
        .or(() -> paths.home().map(p -> p.resolve(".cache").resolve("huggingface")));
  }

  private Optional<Path> path(String name) {
    return text(name).map(value -> paths.expand(name, value));
  }

  /** The proxies that the environment names. */
  HubProxies proxies() {
    return new HubProxies(variables);
  }

  /** Files with certificate authorities, as OpenSSL, Python and curl are told of them. */
  List<Path> certificates() {
    List<Path> files =
        Stream.of("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
            .flatMap(name -> path(name).stream())
            .distinct()
            .toList();
    return files.isEmpty() ? path("SSL_CERT_DIR").stream().toList() : files;
  }

  private Duration seconds(String name) {
    String value = text(name).orElse("0");
    try {
      int seconds = Integer.parseInt(value);
      if (seconds >= 0) {
        return Duration.ofSeconds(seconds == 0 ? DEFAULT_TIMEOUT_SECONDS : seconds);
      }
    } catch (NumberFormatException e) {
      LOG.debug("{} is not a number", name, e);
    }
    throw new IllegalArgumentException(
        name + ": expected a whole number of seconds, got '" + value + "'");
  }

  private boolean flag(String name) {
    return text(name).filter(this::isTrue).isPresent();
  }

  private boolean isTrue(String value) {
    return TRUE.contains(value.toUpperCase(Locale.ROOT));
  }

  private Optional<String> text(String name) {
    return Optional.ofNullable(variables.get(name)).map(String::strip).filter(s -> !s.isEmpty());
  }

  /**
   * Checks the address of a Hub.
   *
   * @throws IllegalArgumentException if it is not a plain http or https address
   */
  static URI parseEndpoint(String text) {
    String trimmed = text.strip().replaceAll("/+$", "");
    try {
      URI uri = URI.create(trimmed);
      boolean http =
          "https".equalsIgnoreCase(uri.getScheme()) || "http".equalsIgnoreCase(uri.getScheme());
      if (http
          && uri.getHost() != null
          && uri.getRawUserInfo() == null
          && uri.getRawQuery() == null
          && uri.getRawFragment() == null) {
        return uri;
      }
    } catch (IllegalArgumentException e) {
      LOG.debug("Endpoint is not a URI", e);
    }
    throw new IllegalArgumentException(
        "endpoint: expected http(s)://host[:port][/path] without user, query or fragment;"
            + " check HF_ENDPOINT");
  }
}
