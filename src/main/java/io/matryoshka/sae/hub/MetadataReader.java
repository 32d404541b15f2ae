package io.matryoshka.sae.hub;

import io.matryoshka.sae.hub.HttpGateway.Answer;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.URI;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Pattern;

/** Asks the Hub which commit a revision is and what a file's content is called. */
final class MetadataReader {
  private static final Duration PATIENT_TIMEOUT = Duration.ofSeconds(60);
  private static final Pattern ETAG = Pattern.compile("[\\x21-\\x7e&&[^/\\\\]]{1,200}");
  private static final Pattern SIZE = Pattern.compile("\\d{1,18}");

  private final HttpGateway http;
  private final HubSettings settings;
  private final HubErrors errors;

  MetadataReader(HttpGateway http, HubSettings settings) {
    this.http = http;
    this.settings = settings;
    this.errors = new HubErrors(settings.endpoint(), settings.token());
  }

  /** Asks once, with the short limit of time. */
  FileMetadata read(RepoFile file) throws IOException {
    return read(file, settings.metadataTimeout());
  }

  /** Asks again and again, with a long limit of time; for when the cache cannot help. */
  FileMetadata readPatiently(RepoFile file, HubException firstFailure) throws IOException {
    HubException failure = firstFailure;
    for (int failures = 1; ; failures++) {
      settings.retries().awaitRetry(failures, failure);
      try {
        return read(file, PATIENT_TIMEOUT);
      } catch (HubUnavailableException | RateLimitedException e) {
        failure = e;
      }
    }
  }

  private FileMetadata read(RepoFile file, Duration timeout) throws IOException {
    Answer answer;
    Optional<URI> elsewhere;
    try {
      answer = http.head(HubUris.resolve(settings.endpoint(), file), timeout);
      elsewhere = answer.redirect();
    } catch (HubException | InterruptedIOException e) {
      throw e;
    } catch (RedirectException e) {
      throw errors.badRedirect(file, e);
    } catch (IOException e) {
      throw errors.unreachable(file, settings.endpoint(), e);
    }
    if (elsewhere.isEmpty() && answer.status() / 100 != 2) {
      throw errors.forAnswer(file, answer);
    }
    String commit =
        answer
            .header("X-Repo-Commit")
            .filter(RepoFile::isCommit)
            .or(() -> Optional.of(file.revision()).filter(RepoFile::isCommit))
            .orElseThrow(
                () ->
                    errors.notTheHub(
                        file,
                        answer,
                        "X-Repo-Commit with a commit hash, which is not needed if the revision"
                            + " is the 40 digits of a commit"));
    String etag =
        answer
            .header("X-Linked-Etag")
            .or(() -> answer.header("ETag"))
            .map(MetadataReader::normalise)
            .filter(e -> ETAG.matcher(e).matches() && !e.equals(".") && !e.equals(".."))
            .orElseThrow(() -> errors.notTheHub(file, answer, "an ETag that can name a file"));
    return new FileMetadata(
        commit, etag, size(answer, elsewhere.isPresent()), elsewhere.orElse(answer.uri()));
  }

  private static OptionalLong size(Answer answer, boolean redirect) {
    Optional<String> length =
        answer
            .header("X-Linked-Size")
            .or(() -> redirect ? Optional.empty() : answer.header("Content-Length"));
    return length
        .filter(text -> SIZE.matcher(text).matches())
        .map(text -> OptionalLong.of(Long.parseLong(text)))
        .orElse(OptionalLong.empty());
  }

  static String normalise(String etag) {
    return etag.replaceFirst("^[W/]+", "").replaceAll("^\"+|\"+$", "");
  }
}
