package io.matryoshka.sae.internal.serve;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.HashSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/**
 * The names under which the server may be called. A page of another site that makes its own name
 * lead here (DNS rebinding) calls under that name, which is none of these.
 *
 * @param names lower-case names, IPv6 addresses in brackets
 * @param anyLiteral whether any numeric address is fine, as no name can be made to lead there
 */
record Addresses(Set<String> names, boolean anyLiteral) {

  private static final Pattern LITERAL =
      Pattern.compile("\\d{1,3}(?:\\.\\d{1,3}){3}|\\[[0-9a-f:.]+]");

  static Addresses of(String host) throws UnknownHostException {
    return of(host, Addresses::nameOfThisMachine);
  }

  static Addresses of(String host, Supplier<Optional<String>> nameOfThisMachine)
      throws UnknownHostException {
    InetAddress address = InetAddress.getByName(host);
    Set<String> names = new HashSet<>();
    names.add(host.contains(":") ? "[" + host + "]" : host.toLowerCase(Locale.ROOT));
    if (address.isLoopbackAddress() || address.isAnyLocalAddress()) {
      names.addAll(Set.of("localhost", "127.0.0.1", "[::1]"));
    }
    if (address.isAnyLocalAddress()) {
      nameOfThisMachine.get().ifPresent(name -> names.add(name.toLowerCase(Locale.ROOT)));
    }
    return new Addresses(Set.copyOf(names), address.isAnyLocalAddress());
  }

  /** Empty in a container, for one, whose name leads nowhere; it is called by number then. */
  private static Optional<String> nameOfThisMachine() {
    try {
      return Optional.of(InetAddress.getLocalHost().getHostName());
    } catch (UnknownHostException e) {
      return Optional.empty();
    }
  }

  /** Whether a {@code Host} header names this server. */
  boolean accepts(String host, int port) {
    String suffix = ":" + port;
    String lower = host.toLowerCase(Locale.ROOT);
    boolean bare = port == 80 && !lower.endsWith(suffix);
    if (!bare && !lower.endsWith(suffix)) {
      return false;
    }
    String name = bare ? lower : lower.substring(0, lower.length() - suffix.length());
    return names.contains(name) || anyLiteral && LITERAL.matcher(name).matches();
  }
}
