package io.matryoshka.sae.hub;

import java.net.URI;
import java.util.Locale;
import java.util.Set;

/**
 * Decides which servers belong to the Hub: only they are followed for metadata and get the token.
 */
final class HubHosts {
  private static final Set<String> KNOWN =
      Set.of("huggingface.co", "hf.co", "hub-ci.huggingface.co");
  private static final int HTTP_PORT = 80;
  private static final int HTTPS_PORT = 443;

  private final URI endpoint;

  HubHosts(URI endpoint) {
    this.endpoint = endpoint;
  }

  /**
   * Tells whether an address belongs to the Hub. Stricter than the Python client, which compares
   * host names only: scheme and port must be the endpoint's, or https on its usual port.
   */
  boolean trusts(URI uri) {
    String host = host(uri);
    boolean sameHost = host.equals(host(endpoint));
    boolean sameOrigin =
        sameHost && isHttps(uri) == isHttps(endpoint) && port(uri) == port(endpoint);
    boolean secure = isHttps(uri) && port(uri) == HTTPS_PORT;
    return sameOrigin || (secure && (sameHost || KNOWN.contains(host)));
  }

  static boolean isHttps(URI uri) {
    return "https".equalsIgnoreCase(uri.getScheme());
  }

  private static String host(URI uri) {
    return uri.getHost() == null ? "" : uri.getHost().toLowerCase(Locale.ROOT);
  }

  private static int port(URI uri) {
    if (uri.getPort() >= 0) {
      return uri.getPort();
    }
    return isHttps(uri) ? HTTPS_PORT : HTTP_PORT;
  }
}
