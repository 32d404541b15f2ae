package io.matryoshka.sae.hub;

import io.matryoshka.sae.hub.HttpGateway.Answer;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Notices when the content of a file changes between two reads of its parts, so that no mixture of
 * both is taken for the file. The Hub names the content in its answers; another host need only name
 * it the same way each time, as its names are its own.
 */
final class EtagGuard {
  private final RepoFile file;
  private final String etag;
  private final Map<String, String> seen = new ConcurrentHashMap<>();

  EtagGuard(RepoFile file, String etag) {
    this.file = file;
    this.etag = etag;
  }

  /** Checks an answer that carries a part of the file. */
  void check(Answer answer, boolean fromHub) throws IntegrityException {
    Optional<String> tag =
        answer
            .header("X-Linked-Etag")
            .or(() -> answer.header("ETag"))
            .map(MetadataReader::normalise);
    if (tag.isEmpty()) {
      return;
    }
    if (fromHub && answer.header("X-Repo-Commit").isPresent()) {
      require(etag, tag.get());
    } else {
      String first = seen.putIfAbsent(answer.uri().getAuthority(), tag.get());
      require(first == null ? tag.get() : first, tag.get());
    }
  }

  /** Checks what the Hub says when it is asked again. */
  void check(FileMetadata fresh) throws IntegrityException {
    require(etag, fresh.etag());
    seen.clear(); // The next address may be of another host with other names.
  }

  private void require(String expected, String got) throws IntegrityException {
    if (!expected.equals(got)) {
      throw new IntegrityException(
          "Download "
              + file
              + ": the file has changed on the Hub during the download, from "
              + expected
              + " to "
              + got
              + "; download it again");
    }
  }
}
