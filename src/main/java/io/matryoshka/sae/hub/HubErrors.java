package io.matryoshka.sae.hub;

import io.matryoshka.sae.hub.HttpGateway.Answer;
import java.net.URI;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertificateException;
import java.time.Duration;
import java.util.Optional;

/** Turns a refusal by the Hub into the exception that tells the user what to do. */
final class HubErrors {
  private static final String BAD_CREDENTIALS = "Invalid credentials in Authorization header";
  private static final String DISABLED = "Access to this resource is disabled.";

  private final URI endpoint;
  private final Optional<Token> token;

  HubErrors(URI endpoint, Optional<Token> token) {
    this.endpoint = endpoint;
    this.token = token;
  }

  /** Reads {@code X-Error-Code} first, then the status. */
  HubException forAnswer(RepoFile file, Answer answer) {
    String code = answer.header("X-Error-Code").orElse("");
    String message = answer.header("X-Error-Message").orElse("");
    int status = answer.status();
    String asked = "Download " + file + " from " + HubUris.printable(answer.uri()) + ": ";
    String said = said(answer);
    switch (code) {
      case "RevisionNotFound":
        return new RevisionNotFoundException(
            asked
                + "repository "
                + file.repoId()
                + " has no branch, tag or commit '"
                + file.revision()
                + "'; its revisions are listed at "
                + HubUris.page(endpoint, file)
                + "/tree/main"
                + said);
      case "EntryNotFound":
        return new EntryNotFoundException(
            asked
                + "no file '"
                + file.filename()
                + "' at revision '"
                + file.revision()
                + "' of "
                + file.repoId()
                + "; its files are listed at "
                + HubUris.page(endpoint, file)
                + "/tree/"
                + file.revision()
                + said,
            answer.header("X-Repo-Commit").filter(RepoFile::isCommit));
      case "GatedRepo":
        URI page = HubUris.page(endpoint, file);
        return new GatedRepositoryException(
            asked
                + "the repository is gated; accept its terms at "
                + page
                + " and then use a token"
                + " of that account (HF_TOKEN); "
                + tokenState()
                + said,
            page);
      case "RepoNotFound":
        return repositoryNotFound(file, asked, said);
      default:
        return byStatus(file, answer, status, message, asked, said);
    }
  }

  private HubException byStatus(
      RepoFile file, Answer answer, int status, String message, String asked, String said) {
    if (message.equals(DISABLED)) {
      return new AccessForbiddenException(asked + "the Hub has disabled this repository" + said);
    }
    if (status == 401 && message.startsWith(BAD_CREDENTIALS)) {
      return new BadTokenException(
          asked
              + "the Hub does not accept the token; make a new one at "
              + endpoint
              + "/settings/tokens and set it as HF_TOKEN, or unset HF_TOKEN for public files"
              + said);
    }
    if (status == 401) {
      return repositoryNotFound(file, asked, said);
    }
    if (status == 403) {
      return new AccessForbiddenException(
          asked
              + "access is forbidden; give the token read permission for "
              + file.repoId()
              + " at "
              + endpoint
              + "/settings/tokens; "
              + tokenState()
              + said);
    }
    if (status == 429) {
      Optional<Duration> wait = RetryPolicy.retryAfter(answer.response().headers());
      return new RateLimitedException(
          asked
              + "too many requests; try again "
              + wait.map(d -> "in " + d.toSeconds() + " s").orElse("later")
              + (token.isPresent() ? "" : ", or set HF_TOKEN for a higher limit")
              + said,
          wait);
    }
    if (RetryPolicy.isTransient(status)) {
      return new HubUnavailableException(
          asked
              + "the server is in trouble; try again later, or see https://status.huggingface.co"
              + said);
    }
    if (status == 404 || status == 410) {
      return EntryNotFoundException.presumably(
          asked
              + "no such file '"
              + file.filename()
              + "', or no revision '"
              + file.revision()
              + "' or repository "
              + file.repoId()
              + " (the server does not say which); check these names and HF_ENDPOINT"
              + said);
    }
    return new HubException(
        asked
            + "expected the file; check the repository, the revision, the file name, HF_ENDPOINT and"
            + " the proxy"
            + said);
  }

  private HubException repositoryNotFound(RepoFile file, String asked, String said) {
    return new RepositoryNotFoundException(
        asked
            + "there is no repository "
            + file.repoId()
            + ", or it is private or gated; check the name, and set HF_TOKEN to a token of an account"
            + " that may read it; "
            + tokenState()
            + said);
  }

  HubException unreachable(RepoFile file, URI uri, Exception cause) {
    if (isUntrusted(cause)) {
      return new HubException(
          "Download "
              + file
              + " from "
              + HubUris.printable(uri)
              + ": the server's certificate is not trusted ("
              + Problems.describe(cause)
              + "); if your network has a certificate authority of its own, name its file in PEM"
              + " form in SSL_CERT_FILE, or a Java trust store by -Djavax.net.ssl.trustStore=...",
          cause);
    }
    return new HubUnavailableException(
        "Download "
            + file
            + " from "
            + HubUris.printable(uri)
            + ": "
            + Problems.describe(cause)
            + "; check the network, the proxy and HF_ENDPOINT, or set HF_HUB_OFFLINE=1 to use only"
            + " what is cached",
        cause);
  }

  private static boolean isUntrusted(Throwable failure) {
    for (Throwable t = failure; t != null; t = t.getCause()) {
      if (t instanceof CertificateException || t instanceof CertPathBuilderException) {
        return true;
      }
    }
    return false;
  }

  HubException badRedirect(RepoFile file, RedirectException cause) {
    return new HubException(
        "Download " + file + ": " + cause.getMessage() + "; check HF_ENDPOINT and the proxy",
        cause);
  }

  HubException notTheHub(RepoFile file, Answer answer, String missing) {
    return new HubException(
        "Download "
            + file
            + " from "
            + HubUris.printable(answer.uri())
            + ": this does not answer as a Hub does (expected the header "
            + missing
            + ", status "
            + answer.status()
            + "); check HF_ENDPOINT, the proxy and the firewall");
  }

  private String tokenState() {
    return token.isPresent() ? "a token was sent" : "no token was sent";
  }

  private String said(Answer answer) {
    StringBuilder text = new StringBuilder(" [HTTP ").append(answer.status());
    answer.header("X-Error-Code").ifPresent(c -> text.append(", ").append(c));
    answer.header("X-Error-Message").ifPresent(m -> text.append(", ").append(m));
    answer.header("X-Request-Id").ifPresent(id -> text.append(", request ").append(id));
    String said = text.append(']').toString();
    return token.map(t -> t.redact(said)).orElse(said);
  }
}
