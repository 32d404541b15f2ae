package io.matryoshka.sae.hub;

import io.matryoshka.sae.hub.HttpGateway.Answer;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.URI;
import java.util.Optional;

/**
 * Serves the content of one file. The address behind a redirect is signed and expires; when it
 * does, the Hub is asked for a fresh one. Safe for concurrent use.
 */
final class RemoteSource {
  private final RepoFile file;
  private final FileMetadata metadata;
  private final HttpGateway http;
  private final MetadataReader metadataReader;
  private final HubErrors errors;
  private final EtagGuard content;
  private final boolean partsOnly;
  private URI current;

  /**
   * Prepares to serve.
   *
   * @param partsOnly parts are all that is read, so that no hash of the whole file can tell that it
   *     has changed in between
   */
  RemoteSource(
      RepoFile file,
      FileMetadata metadata,
      HttpGateway http,
      MetadataReader metadataReader,
      HubSettings settings,
      boolean partsOnly) {
    this.file = file;
    this.metadata = metadata;
    this.http = http;
    this.metadataReader = metadataReader;
    this.errors = new HubErrors(settings.endpoint(), settings.token());
    this.content = new EtagGuard(file, metadata.etag());
    this.partsOnly = partsOnly;
    this.current = metadata.source();
  }

  RepoFile file() {
    return file;
  }

  FileMetadata metadata() {
    return metadata;
  }

  /**
   * Asks for the content or a range of it. The caller closes the body.
   *
   * @return an answer with status 200, 206 or 416
   * @throws HubUnavailableException or {@link RateLimitedException} if asking again may help
   */
  Answer get(Optional<String> range) throws IOException {
    URI uri = current();
    Answer answer = ask(uri, range);
    if (isExpired(answer)) {
      answer.response().body().discard();
      answer = ask(refresh(uri), range);
    }
    switch (answer.status()) {
      case 200, 206, 416:
        return partsOnly ? steady(answer) : answer;
      default:
        answer.response().body().discard();
        throw errors.forAnswer(file, answer);
    }
  }

  private Answer steady(Answer answer) throws IntegrityException {
    try {
      content.check(answer, http.trusts(answer.uri()));
      return answer;
    } catch (IntegrityException e) {
      answer.response().body().discard();
      throw e;
    }
  }

  private Answer ask(URI uri, Optional<String> range) throws IOException {
    try {
      return http.get(uri, range);
    } catch (HubException | InterruptedIOException e) {
      throw e;
    } catch (RedirectException e) {
      throw errors.badRedirect(file, e);
    } catch (IOException e) {
      throw unreachable(e);
    }
  }

  /** Describes a connection that failed. */
  HubException unreachable(IOException cause) {
    return errors.unreachable(file, current(), cause);
  }

  private boolean isExpired(Answer answer) {
    return !http.trusts(answer.uri()) && (answer.status() == 401 || answer.status() == 403);
  }

  private synchronized URI current() {
    return current;
  }

  private synchronized URI refresh(URI expired) throws IOException {
    if (current.equals(expired)) {
      FileMetadata fresh = metadataReader.read(file);
      content.check(fresh);
      current = fresh.source();
    }
    return current;
  }
}
