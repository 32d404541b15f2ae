package io.matryoshka.sae.hub;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Which proxy a request goes through: the one of the JVM where its options name one ({@code
 * https.proxyHost} and its kin), else that of the environment, as curl and Python's client read it
 * ({@code HTTPS_PROXY}, {@code HTTP_PROXY}, {@code ALL_PROXY}, {@code NO_PROXY}, in lower case
 * too), else the default of the JVM. Addresses of this machine need no proxy of the environment.
 */
final class HubProxies extends ProxySelector {
  private static final List<String> JVM_OPTIONS =
      List.of("https.proxyHost", "http.proxyHost", "socksProxyHost");
  private static final String TUNNELS = "jdk.http.auth.tunneling.disabledSchemes";
  private static final int DEFAULT_PORT = 80;

  private final Map<String, String> variables;

  HubProxies(Map<String, String> variables) {
    this.variables = variables;
  }

  @Override
  public List<Proxy> select(URI uri) {
    Optional<URI> proxy = proxy(uri);
    if (proxy.isPresent()) {
      int port = proxy.get().getPort() < 0 ? DEFAULT_PORT : proxy.get().getPort();
      // The selector must not look the name up: only the HTTP client connects.
      InetSocketAddress address = InetSocketAddress.createUnresolved(proxy.get().getHost(), port);
      return List.of(new Proxy(Proxy.Type.HTTP, address));
    }
    ProxySelector ofJvm = ProxySelector.getDefault();
    return ofJvm == null ? List.of(Proxy.NO_PROXY) : ofJvm.select(uri);
  }

  @Override
  public void connectFailed(URI uri, SocketAddress address, IOException failure) {
    // The request that failed tells the caller.
  }

  /**
   * Returns what the proxy of a request wants to see.
   *
   * @return the value of the header {@code Proxy-Authorization}, empty where no password is known
   */
  Optional<String> authorization(URI uri) {
    Optional<String> userAndPassword =
        proxy(uri)
            .map(URI::getRawUserInfo)
            .map(info -> URLDecoder.decode(info.replace("+", "%2B"), StandardCharsets.UTF_8));
    if (userAndPassword.isEmpty() && !select(uri).contains(Proxy.NO_PROXY)) {
      userAndPassword = ofJvm(uri.getScheme()).or(() -> ofJvm("http"));
    }
    return userAndPassword.map(
        text ->
            "Basic " + Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8)));
  }

  private static Optional<String> ofJvm(String scheme) {
    return Optional.ofNullable(System.getProperty(scheme + ".proxyUser"))
        .map(user -> user + ":" + System.getProperty(scheme + ".proxyPassword", ""));
  }

  /**
   * Lets passwords pass to proxies of https, which the JDK forbids by default. The JDK reads the
   * option once, before its first request; one that the user has set stays.
   */
  static void permitPasswords() {
    if (System.getProperty(TUNNELS) == null) {
      System.setProperty(TUNNELS, "");
    }
  }

  /** The proxy of the environment, where it has the say. */
  private Optional<URI> proxy(URI uri) {
    if (JVM_OPTIONS.stream().anyMatch(option -> System.getProperty(option) != null)
        || isExcluded(uri)) {
      return Optional.empty();
    }
    return variable(uri.getScheme() + "_proxy")
        .or(() -> variable("all_proxy"))
        .flatMap(HubProxies::parse);
  }

  /** Lower case goes first, as with curl and Python. */
  private Optional<String> variable(String lowerCase) {
    return Optional.ofNullable(variables.get(lowerCase.toLowerCase(Locale.ROOT)))
        .or(() -> Optional.ofNullable(variables.get(lowerCase.toUpperCase(Locale.ROOT))))
        .map(String::strip)
        .filter(value -> !value.isEmpty());
  }

  private static Optional<URI> parse(String value) {
    String address = value.contains("://") ? value : "http://" + value;
    try {
      URI uri = URI.create(address);
      if (List.of("http", "https").contains(uri.getScheme()) && uri.getHost() != null) {
        return Optional.of(uri);
      }
    } catch (IllegalArgumentException e) {
      // Told below, without the text, which may hold a password.
      throw notAProxy();
    }
    throw notAProxy();
  }

  private static IllegalArgumentException notAProxy() {
    return new IllegalArgumentException(
        "HTTPS_PROXY, HTTP_PROXY or ALL_PROXY: expected http://[user:password@]host:port, with"
            + " special characters of the password as %40 and the like, got something else; a SOCKS"
            + " proxy is given to Java by -DsocksProxyHost=... -DsocksProxyPort=...");
  }

  private boolean isExcluded(URI uri) {
    String host = uri.getHost() == null ? "" : uri.getHost().toLowerCase(Locale.ROOT);
    if (isThisMachine(host)) {
      return true;
    }
    return variable("no_proxy")
        .map(list -> Arrays.stream(list.split("[,\\s]+")).anyMatch(rule -> covers(rule, host, uri)))
        .orElse(false);
  }

  private static boolean isThisMachine(String host) {
    return host.equals("localhost") || host.endsWith(".localhost") || isLoopback(host);
  }

  private static boolean isLoopback(String host) {
    return address(host).map(InetAddress::isLoopbackAddress).orElse(false);
  }

  private static boolean covers(String rule, String host, URI uri) {
    String name = rule.strip().toLowerCase(Locale.ROOT);
    if (name.isEmpty()) {
      return false;
    }
    if (name.equals("*")) {
      return true;
    }
    if (name.contains("/")) {
      return isWithin(name, host);
    }
    int colon = name.lastIndexOf(':');
    if (colon > 0 && name.indexOf(':') == colon) {
      int port = uri.getPort() >= 0 ? uri.getPort() : HubHosts.isHttps(uri) ? 443 : DEFAULT_PORT;
      if (!name.substring(colon + 1).equals(Integer.toString(port))) {
        return false;
      }
      name = name.substring(0, colon);
    }
    name = name.replaceFirst("^\\*?\\.", "");
    return host.equals(name) || host.endsWith("." + name) || host.equals("[" + name + "]");
  }

  /** Tells whether an address lies in a network such as {@code 10.0.0.0/8}. */
  private static boolean isWithin(String network, String host) {
    String[] parts = network.split("/", 2);
    Optional<byte[]> base = address(parts[0]).map(InetAddress::getAddress);
    Optional<byte[]> address = address(host).map(InetAddress::getAddress);
    if (base.isEmpty()
        || address.isEmpty()
        || base.get().length != address.get().length
        || !parts[1].matches("\\d{1,3}")) {
      return false;
    }
    int bits = Math.min(Integer.parseInt(parts[1]), Byte.SIZE * base.get().length);
    for (int i = 0; i < bits; i++) {
      int mask = 0x80 >> i % Byte.SIZE;
      if (((base.get()[i / Byte.SIZE] ^ address.get()[i / Byte.SIZE]) & mask) != 0) {
        return false;
      }
    }
    return true;
  }

  /** Reads a numeric address; a name is never looked up. */
  private static Optional<InetAddress> address(String host) {
    boolean numeric = host.matches("\\d{1,3}(\\.\\d{1,3}){3}") || host.contains(":");
    try {
      return numeric ? Optional.of(InetAddress.getByName(host)) : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
  }
}
