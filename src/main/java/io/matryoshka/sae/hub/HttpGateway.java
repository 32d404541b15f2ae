package io.matryoshka.sae.hub;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;

/**
 * Sends requests, each with the token only if its own address belongs to the Hub. Redirects are
 * never left to the HTTP client, which would carry the token along.
 */
final class HttpGateway {
  private static final int MAX_REDIRECTS = 20;
  private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);

  private static final int PROXY_WANTS_PASSWORD = 407;

  private final HubSettings settings;
  private final HubHosts hosts;
  private HttpClient client;

  HttpGateway(HubSettings settings) {
    this.settings = settings;
    this.hosts = new HubHosts(settings.endpoint());
    if (!settings.offline() && settings.proxies().authorization(settings.endpoint()).isPresent()) {
      HubProxies.permitPasswords();
    }
  }

  /** Makes the client when it is first needed, as an offline program never does. */
  private synchronized HttpClient client() {
    if (client == null) {
      HttpClient.Builder builder =
          HttpClient.newBuilder()
              .version(
                  HttpClient.Version.HTTP_1_1) // one connection per range in parallel downloads
              .followRedirects(HttpClient.Redirect.NEVER)
              .proxy(settings.proxies());
      CertificateFiles.context(settings.certificates()).ifPresent(builder::sslContext);
      client = builder.build();
    }
    return client;
  }

  /** An answer and the address that gave it, after any redirects. */
  record Answer(URI uri, HttpResponse<StallTimeoutBody> response) {
    int status() {
      return response.statusCode();
    }

    Optional<String> header(String name) {
      return response.headers().firstValue(name);
    }

    /** Returns where a redirect leads, if this is one. */
    Optional<URI> redirect() throws RedirectException {
      Optional<String> location = header("Location").filter(l -> REDIRECTS.contains(status()));
      return location.isPresent()
          ? Optional.of(HubUris.redirectTarget(uri, location.get()))
          : Optional.empty();
    }
  }

  boolean trusts(URI uri) {
    return hosts.trusts(uri);
  }

  /**
   * Asks for the headers; follows redirects as long as they stay on the Hub. The first redirect
   * that leaves it is the answer.
   */
  Answer head(URI start, Duration timeout) throws IOException {
    URI uri = start;
    for (int hop = 0; hop <= MAX_REDIRECTS; hop++) {
      Answer answer = send("HEAD", uri, Optional.empty(), timeout);
      answer.response().body().discard();
      Optional<URI> target = answer.redirect().filter(hosts::trusts);
      if (target.isEmpty()) {
        return answer;
      }
      uri = target.get();
    }
    throw tooManyRedirects(start);
  }

  /** Asks for the content; follows all redirects. The caller closes the body. */
  Answer get(URI start, Optional<String> range) throws IOException {
    URI uri = start;
    for (int hop = 0; hop <= MAX_REDIRECTS; hop++) {
      Answer answer = send("GET", uri, range, settings.downloadTimeout());
      Optional<URI> target;
      try {
        target = answer.redirect();
      } catch (RedirectException e) {
        answer.response().body().discard();
        throw e;
      }
      if (target.isEmpty()) {
        return answer;
      }
      answer.response().body().discard();
      uri = target.get();
    }
    throw tooManyRedirects(start);
  }

  private Answer send(String method, URI uri, Optional<String> range, Duration timeout)
      throws IOException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(uri)
            .method(method, HttpRequest.BodyPublishers.noBody())
            .timeout(timeout)
            .header("User-Agent", "matryoshka-sae; java/" + Runtime.version().feature())
            .header("Accept-Encoding", "identity");
    range.ifPresent(r -> request.header("Range", r));
    settings
        .token()
        .filter(t -> hosts.trusts(uri))
        .ifPresent(t -> request.header("Authorization", t.authorization()));
    settings
        .proxies()
        .authorization(uri)
        .ifPresent(password -> request.header("Proxy-Authorization", password));
    return new Answer(uri, requireNoProxyRefusal(uri, send(request.build(), uri)));
  }

  private HttpResponse<StallTimeoutBody> send(HttpRequest request, URI uri) throws IOException {
    try {
      return client().send(request, info -> new StallTimeoutBody(settings.downloadTimeout()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("Interrupted while asking for " + HubUris.printable(uri));
    } catch (IOException e) {
      // Of a body that ends early the client may tell before it hands the body out.
      throw e.getClass() == IOException.class ? StallTimeoutBody.lost(e) : e;
    }
  }

  /** A proxy that refuses to open a tunnel gives an answer without a body. */
  private static HttpResponse<StallTimeoutBody> requireNoProxyRefusal(
      URI uri, HttpResponse<StallTimeoutBody> response) throws IOException {
    StallTimeoutBody body = response.body();
    if (body != null && response.statusCode() != PROXY_WANTS_PASSWORD) {
      return response;
    }
    if (body != null) {
      body.discard();
    }
    throw new ProxyRefusalException(HubUris.printable(uri), response.statusCode());
  }

  private static RedirectException tooManyRedirects(URI start) {
    return new RedirectException(
        "redirected more than " + MAX_REDIRECTS + " times from " + HubUris.printable(start));
  }
}
