package io.matryoshka.sae.hub;

import io.matryoshka.sae.internal.io.FileProblem;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.UnknownHostException;
import java.net.http.HttpTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import java.nio.file.FileSystemException;
import javax.net.ssl.SSLException;

/** Failures of the network and of files in the words of their reader, without names of Java. */
final class Problems {

  private Problems() {}

  /** Says what went wrong, by the deepest cause that says something. */
  static String describe(Throwable failure) {
    for (Throwable t = failure; t != null; t = t.getCause()) {
      if (t instanceof UnknownHostException || t instanceof UnresolvedAddressException) {
        return "its name cannot be resolved to an address";
      }
    }
    if (failure instanceof FileSystemException refused) {
      return FileProblem.describe(refused);
    }
    String said = said(failure);
    if (failure instanceof HttpTimeoutException) {
      return with("no answer in the time allowed", said);
    }
    if (failure instanceof NoRouteToHostException || failure instanceof ConnectException) {
      return with("no connection", said);
    }
    if (failure instanceof SSLException) {
      return with("no encrypted connection", said);
    }
    return said.isEmpty() ? "the connection broke off" : said;
  }

  private static String with(String problem, String said) {
    return said.isEmpty() ? problem : problem + " (" + said + ")";
  }

  private static String said(Throwable failure) {
    for (Throwable t = failure; t != null; t = t.getCause()) {
      if (t.getMessage() != null && !t.getMessage().isBlank()) {
        return t.getMessage().replaceAll("\\b(?:[a-z][a-z0-9]*\\.){2,}[A-Z]\\w*(?:: )?", "");
      }
    }
    return "";
  }
}
