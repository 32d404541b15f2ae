package io.matryoshka.sae.internal.serve;

import java.io.IOException;
import java.io.InputStream;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/** The files of the page, which are resources of this package and nothing else. */
final class PageFiles extends Handler.Abstract {

  private static final String FOLDER = "page/";
  private static final String INDEX = "index.html";
  private static final String LASTING = "assets/";

  /** No name begins with a dot or holds two, so none leads out of the folder. */
  private static final Pattern NAME =
      Pattern.compile("(?:[A-Za-z0-9][\\w-]*/)?[A-Za-z0-9][\\w-]*(?:\\.[A-Za-z0-9][\\w-]*)+");

  private static final Map<String, String> TYPES =
      Map.of(
          "html", "text/html; charset=utf-8",
          "js", "text/javascript; charset=utf-8",
          "css", "text/css; charset=utf-8",
          "json", "application/json",
          "svg", "image/svg+xml",
          "png", "image/png",
          "ico", "image/x-icon",
          "woff2", "font/woff2");

  private static final String POLICY =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:;"
          + " font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none';"
          + " frame-ancestors 'none'";

  private final Map<String, byte[]> files = new ConcurrentHashMap<>();

  @Override
  public boolean handle(Request request, Response response, Callback callback) throws Exception {
    boolean head = request.getMethod().equals("HEAD");
    if (!head && !request.getMethod().equals("GET")) {
      response.getHeaders().put(HttpHeader.ALLOW, "GET, HEAD");
      Answers.refuse(
          response, callback, Refusal.METHOD_NOT_ALLOWED, "files of the page are only read");
      return true;
    }
    String path = request.getHttpURI().getPath();
    String name = path.equals("/") ? INDEX : path.substring(1);
    Optional<byte[]> found = file(name);
    if (found.isEmpty()) {
      Answers.refuse(response, callback, Refusal.NOT_FOUND, "there is nothing of this name here");
      return true;
    }
    response.getHeaders().put("Content-Security-Policy", POLICY);
    if (name.startsWith(LASTING)) {
      response.getHeaders().put(HttpHeader.CACHE_CONTROL, "max-age=31536000, immutable");
    }
    Answers.send(response, callback, 200, type(name).orElseThrow(), found.get());
    return true;
  }

  private static Optional<String> type(String name) {
    String extension = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
    return Optional.ofNullable(TYPES.get(extension));
  }

  private Optional<byte[]> file(String name) throws IOException {
    if (!NAME.matcher(name).matches() || type(name).isEmpty()) {
      return Optional.empty();
    }
    byte[] kept = files.get(name);
    if (kept != null) {
      return Optional.of(kept);
    }
    try (InputStream in = PageFiles.class.getResourceAsStream(FOLDER + name)) {
      if (in == null) {
        return Optional.empty();
      }
      byte[] content = in.readAllBytes();
      files.put(name, content);
      return Optional.of(content);
    }
  }
}
