package io.matryoshka.sae.hub;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A bare HTTP/1.1 server on loopback that can also break off, stall and lie, which real ones hide.
 */
final class LoopbackServer implements AutoCloseable {
  /** Answers one request; returns false to close the connection. */
  @FunctionalInterface
  interface Handler {
    boolean handle(Request request, Response response) throws IOException, InterruptedException;
  }

  /** What a client sent, with header names in lower case. */
  record Request(String method, String path, Map<String, String> headers) {
    Optional<String> header(String name) {
      return Optional.ofNullable(headers.get(name.toLowerCase(Locale.ROOT)));
    }
  }

  /** Writes the status line, headers and then anything. */
  static final class Response {
    private final OutputStream out;

    private Response(OutputStream out) {
      this.out = out;
    }

    OutputStream start(int status, Map<String, String> headers) throws IOException {
      StringBuilder head = new StringBuilder("HTTP/1.1 " + status + " Status\r\n");
      headers.forEach((name, value) -> head.append(name).append(": ").append(value).append("\r\n"));
      out.write(head.append("\r\n").toString().getBytes(StandardCharsets.UTF_8));
      return out;
    }
  }

  private final ServerSocket socket;
  private final String host;
  private final Handler handler;
  private final Set<Socket> connections = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  LoopbackServer(String host, Handler handler) throws IOException {
    this.socket = new ServerSocket(0, 100, InetAddress.getByName("127.0.0.1"));
    this.host = host;
    this.handler = handler;
    daemon(this::accept, "loopback-accept");
  }

  URI uri() {
    return URI.create("http://" + host + ":" + socket.getLocalPort());
  }

  private void accept() {
    while (!socket.isClosed()) {
      try {
        Socket connection = socket.accept();
        connections.add(connection);
        daemon(() -> serve(connection), "loopback-connection");
      } catch (IOException e) {
        return; // Closed.
      }
    }
  }

  private void serve(Socket connection) {
    try (connection;
        InputStream in = new BufferedInputStream(connection.getInputStream());
        OutputStream out = new BufferedOutputStream(connection.getOutputStream(), 1 << 16)) {
      connection.setTcpNoDelay(true);
      boolean open = true;
      while (open) {
        Optional<Request> request = read(in);
        open = request.isPresent() && !closed && handler.handle(request.get(), new Response(out));
        out.flush();
      }
    } catch (IOException | InterruptedException e) {
      // The client went away, or the test is over.
    } finally {
      connections.remove(connection);
    }
  }

  private static Optional<Request> read(InputStream in) throws IOException {
    String[] start = line(in).split(" ");
    if (start.length < 2) {
      return Optional.empty();
    }
    Map<String, String> headers = new TreeMap<>();
    for (String line = line(in); !line.isEmpty(); line = line(in)) {
      int colon = line.indexOf(':');
      headers.put(
          line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1).strip());
    }
    return Optional.of(new Request(start[0], start[1], headers));
  }

  private static String line(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int c = in.read(); c >= 0 && c != '\n'; c = in.read()) {
      if (c != '\r') {
        line.append((char) c);
      }
    }
    return line.toString();
  }

  private static void daemon(Runnable task, String name) {
    Thread thread = new Thread(task, name);
    thread.setDaemon(true);
    thread.start();
  }

  static String decode(String path) {
    return URLDecoder.decode(path.replace("+", "%2B"), StandardCharsets.UTF_8);
  }

  static Map<String, String> headers(String... namesAndValues) {
    Map<String, String> headers = new LinkedHashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      headers.put(namesAndValues[i], namesAndValues[i + 1]);
    }
    return headers;
  }

  @Override
  public void close() throws IOException {
    closed = true; // A connection that is being accepted right now is not answered either.
    socket.close();
    for (Socket connection : connections) {
      connection.close();
    }
  }
}
