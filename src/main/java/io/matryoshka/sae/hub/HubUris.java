package io.matryoshka.sae.hub;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;

/** Builds, resolves and prints addresses. */
final class HubUris {
  private static final String UNRESERVED =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~";
  private static final String LEGAL_IN_URI = UNRESERVED + ":/?#[]@!$&'()*+,;=%";

  private HubUris() {}

  /** Returns the address under which the Hub serves a file. */
  static URI resolve(URI endpoint, RepoFile file) {
    return URI.create(
        endpoint
            + "/"
            + file.repoId()
            + "/resolve/"
            + encode(file.revision(), UNRESERVED)
            + "/"
            + encode(file.filename(), UNRESERVED + "/"));
  }

  /** Returns the page that shows the repository to people. */
  static URI page(URI endpoint, RepoFile file) {
    return URI.create(endpoint + "/" + file.repoId());
  }

  /**
   * Resolves a {@code Location} header, lenient about characters that should have been encoded.
   *
   * @throws RedirectException if it names no http or https address, or leads from https to http
   */
  static URI redirectTarget(URI current, String location) throws RedirectException {
    try {
      URI target = current.resolve(new URI(encode(location, LEGAL_IN_URI)));
      boolean https = HubHosts.isHttps(target);
      boolean http = "http".equalsIgnoreCase(target.getScheme());
      if (target.getHost() != null && (https || (http && !HubHosts.isHttps(current)))) {
        return target;
      }
    } catch (URISyntaxException e) {
      throw new RedirectException(
          "redirected by " + printable(current) + " to what is not an address", e);
    }
    throw new RedirectException(
        "redirected by "
            + printable(current)
            + ", expected an http or https address as the target, and https after https");
  }

  /** Leaves out what may be secret: user and the signature in the query. */
  static String printable(URI uri) {
    String port = uri.getPort() < 0 ? "" : ":" + uri.getPort();
    return uri.getScheme() + "://" + uri.getHost() + port + uri.getRawPath();
  }

  private static String encode(String text, String kept) {
    StringBuilder out = new StringBuilder(text.length() + 16);
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      char c = (char) (b & 0xff);
      if (kept.indexOf(c) >= 0) {
        out.append(c);
      } else {
        out.append(String.format("%%%02X", (int) c));
      }
    }
    return out.toString();
  }
}
