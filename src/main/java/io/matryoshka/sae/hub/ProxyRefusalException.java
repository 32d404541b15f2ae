package io.matryoshka.sae.hub;

/** The proxy between this machine and the Hub does not let a request pass. */
public final class ProxyRefusalException extends HubException {
  private static final long serialVersionUID = 1L;
  private static final int WANTS_PASSWORD = 407;

  ProxyRefusalException(String address, int status) {
    super(
        "Download from "
            + address
            + ": the proxy "
            + (status == WANTS_PASSWORD
                ? "wants a user name and a password, or does not accept those that it got (HTTP 407);"
                    + " give them as HTTPS_PROXY=http://user:password@host:port, or to Java as"
                    + " -Dhttps.proxyUser=... -Dhttps.proxyPassword=..."
                    + " -Djdk.http.auth.tunneling.disabledSchemes="
                : "does not open a connection (HTTP "
                    + status
                    + "); ask whoever runs it to permit this host, or name another proxy in"
                    + " HTTPS_PROXY, or the host in NO_PROXY"));
  }
}
