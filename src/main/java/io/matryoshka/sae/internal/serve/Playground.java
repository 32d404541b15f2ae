package io.matryoshka.sae.internal.serve;

import io.matryoshka.sae.internal.serve.view.Workspace;
import java.io.IOException;
import java.net.BindException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Objects;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.NetworkConnectionLimit;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/** The running server. Closing it ends all calls and closes the workspace. */
public final class Playground implements AutoCloseable {

  private static final int THREADS = 16;
  private static final int CONNECTIONS = 256;
  private static final int HEADER_BYTES = 8192;
  private static final long IDLE_MILLIS = 30_000;

  private final Server server;
  private final ServerConnector connector;
  private final Workspace workspace;
  private final Desk desk;
  private final ServeOptions options;
  private boolean closed;

  /** Where calls wait. */
  Desk desk() {
    return desk;
  }

  private Playground(Workspace workspace, ServeOptions options, long idleMillis)
      throws UnknownHostException {
    this.workspace = workspace;
    this.options = options;
    QueuedThreadPool threads = new QueuedThreadPool(THREADS, 2);
    threads.setName("serve");
    threads.setDaemon(true);
    server = new Server(threads);
    connector = new ServerConnector(server, 1, 1, new HttpConnectionFactory(configuration()));
    connector.setHost(options.host());
    connector.setPort(options.port());
    connector.setIdleTimeout(idleMillis);
    connector.setReuseAddress(true);
    server.addConnector(connector);
    server.addBean(new NetworkConnectionLimit(CONNECTIONS, server));
    server.setStopTimeout(0);
    desk = new Desk(workspace.limits(), workspace.passes());
    Guard guard = new Guard(Addresses.of(options.host()), connector::getLocalPort);
    guard.setHandler(
        new Handler.Sequence(new Api(workspace, desk, options.token()), new PageFiles()));
    server.setHandler(guard);
    server.setErrorHandler(new Refusals());
  }

  private static HttpConfiguration configuration() {
    HttpConfiguration configuration = new HttpConfiguration();
    configuration.setSendServerVersion(false);
    configuration.setSendDateHeader(false);
    configuration.setRequestHeaderSize(HEADER_BYTES);
    return configuration;
  }

  /**
   * Starts a server.
   *
   * @param workspace what is open; closed with the server, but not where it does not start
   * @param options where to listen
   * @return the server, which answers
   * @throws BindException if the port is taken, or the address is not one of this machine
   * @throws IOException if the server cannot start
   */
  public static Playground start(Workspace workspace, ServeOptions options) throws IOException {
    Objects.requireNonNull(workspace, "workspace");
    Objects.requireNonNull(options, "options");
    return start(workspace, options, IDLE_MILLIS);
  }

  /** Starts a server that closes connections on which nothing happens for some time. */
  static Playground start(Workspace workspace, ServeOptions options, long idleMillis)
      throws IOException {
    Playground playground = new Playground(workspace, options, idleMillis);
    try {
      playground.server.start();
      return playground;
    } catch (Exception e) {
      playground.stop();
      throw failure(e, options);
    }
  }

  private static IOException failure(Exception failure, ServeOptions options) {
    for (Throwable t = failure; t != null; t = t.getCause()) {
      if (t instanceof BindException bind) {
        BindException named =
            new BindException(
                "cannot listen on %s, port %d: %s; name another with --port, or 0 for any that is free"
                    .formatted(options.host(), options.port(), bind.getMessage()));
        named.initCause(failure);
        return named;
      }
    }
    return new IOException("the server cannot start: " + failure.getMessage(), failure);
  }

  /**
   * Returns the port.
   *
   * @return the port on which the server listens
   */
  public int port() {
    return connector.getLocalPort();
  }

  /**
   * Returns the address of the page.
   *
   * @return the address, with the token in its fragment where there is one
   */
  public String address() {
    return "http://%s:%d/%s"
        .formatted(
            shown(options.host()),
            port(),
            options.token().map(token -> "#token=" + token).orElse(""));
  }

  /** A name or address as it stands in an address; any address of the machine becomes one. */
  private static String shown(String host) {
    try {
      InetAddress address = InetAddress.getByName(host);
      if (address.isAnyLocalAddress()) {
        return InetAddress.getLocalHost().getHostName();
      }
      return address instanceof Inet6Address && host.contains(":") ? "[" + host + "]" : host;
    } catch (UnknownHostException e) {
      return host;
    }
  }

  /**
   * Reads the corpus of the workspace, for as long as that takes or until the server is closed.
   *
   * @param texts the corpus
   */
  public void readCorpus(Workspace.Texts texts) {
    workspace.readCorpus(texts);
  }

  /** Ends all calls, stops listening and closes the workspace. Closing twice is fine. */
  @Override
  public synchronized void close() throws IOException {
    if (closed) {
      return;
    }
    closed = true;
    try {
      stop();
    } finally {
      workspace.close();
    }
  }

  private void stop() throws IOException {
    desk.close();
    try {
      server.stop();
    } catch (Exception e) {
      throw new IOException("the server does not stop: " + e.getMessage(), e);
    }
  }
}
