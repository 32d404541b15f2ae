package io.matryoshka.sae.internal.serve;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntSupplier;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/**
 * Lets through only what a page of this server, or a person at the address bar, asks for: {@code
 * Host} must name this server, {@code Origin} must be the same, and a browser must not say that
 * another site asks.
 */
final class Guard extends Handler.Wrapper {

  private static final String SITE = "Sec-Fetch-Site";
  private static final Set<String> OWN_SITES = Set.of("same-origin", "none");

  private final Addresses addresses;
  private final IntSupplier port;

  Guard(Addresses addresses, IntSupplier port) {
    this.addresses = addresses;
    this.port = port;
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) throws Exception {
    Answers.secure(response);
    Optional<String> problem = problem(request);
    if (problem.isPresent()) {
      Answers.refuse(response, callback, Refusal.FORBIDDEN, problem.get());
      return true;
    }
    return super.handle(request, response, callback);
  }

  private Optional<String> problem(Request request) {
    String host = one(request, HttpHeader.HOST.asString());
    if (!addresses.accepts(host, port.getAsInt())) {
      return Optional.of("the server is called by another name than its own; open its address");
    }
    String origin = one(request, HttpHeader.ORIGIN.asString());
    if (!origin.isEmpty() && !origin.equalsIgnoreCase("http://" + host)) {
      return Optional.of("a page of another origin may not call this server");
    }
    String site = one(request, SITE);
    boolean opened = request.getMethod().equals("GET") && !Api.isCall(request);
    if (!site.isEmpty() && !OWN_SITES.contains(site) && !opened) {
      return Optional.of("a page of another site may not call this server");
    }
    return Optional.empty();
  }

  /** The value of a header; empty if it is missing, and one that fits nothing if it is repeated. */
  private static String one(Request request, String name) {
    List<String> values = request.getHeaders().getValuesList(name);
    return values.isEmpty() ? "" : values.size() == 1 ? values.get(0) : String.join(",", values);
  }
}
