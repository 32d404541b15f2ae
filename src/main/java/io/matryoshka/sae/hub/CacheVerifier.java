package io.matryoshka.sae.hub;

import io.matryoshka.sae.hub.CacheProblem.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Compares stored content with the names it has. */
final class CacheVerifier {
  private static final Logger LOG = LoggerFactory.getLogger(CacheVerifier.class);

  private final List<CacheProblem> problems = new ArrayList<>();
  private int verifiedFiles;
  private long verifiedBytes;
  private int unverifiableFiles;

  void verify(Path folder, CachedRepo repo, Map<String, String> refs) throws IOException {
    RepoCache cache = RepoCache.ofFolder(folder);
    for (Path blob : HubCache.list(folder.resolve("blobs"))) {
      clearDeadPart(cache, blob);
      verifyBlob(blob);
    }
    for (CachedRevision revision : repo.revisions()) {
      revision.files().forEach(this::verifyFile);
    }
    refs.forEach(
        (ref, commit) -> {
          if (repo.revisions().stream().noneMatch(r -> r.commit().equals(commit))) {
            problem(
                Kind.MISSING_REVISION,
                folder.resolve("refs").resolve(ref),
                "names commit " + commit + ", of which no file is stored");
          }
        });
  }

  /** Deletes what a killed download has left of a blob that another client has finished. */
  private static void clearDeadPart(RepoCache cache, Path part) {
    String name = part.getFileName().toString();
    if (name.endsWith(PartFile.RESUMABLE)) {
      Path blob =
          part.resolveSibling(name.substring(0, name.length() - PartFile.RESUMABLE.length()));
      try {
        if (Files.isRegularFile(blob)) {
          cache.clearDeadPartOf(blob);
        }
      } catch (IOException e) {
        LOG.debug("{} stays", part, e);
      }
    }
  }

  private void verifyBlob(Path blob) {
    String name = blob.getFileName().toString();
    if (name.endsWith(".tmp") || Files.notExists(blob, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    if (name.endsWith(".incomplete")) {
      problem(Kind.UNFINISHED, blob, "an interrupted or running download");
      return;
    }
    if (!Files.isRegularFile(blob)) {
      problem(Kind.DANGLING, blob, "expected a file, found none");
      return;
    }
    ContentHash hash = ContentHash.of(name);
    if (!hash.isVerifiable()) {
      unverifiableFiles++;
      return;
    }
    try {
      String actual = hash.hash(blob);
      if (actual.equals(name)) {
        verifiedFiles++;
        verifiedBytes += Files.size(blob);
      } else {
        problem(Kind.CORRUPT, blob, "expected hash " + name + ", found " + actual);
      }
    } catch (IOException e) {
      problem(Kind.UNREADABLE, blob, e.toString());
    }
  }

  private void verifyFile(CachedFile file) {
    if (!file.complete()) {
      problem(Kind.DANGLING, file.path(), "the link's target is missing");
    } else if (!Files.isSymbolicLink(file.path())) {
      unverifiableFiles++; // A copy: its blob, if there is one, says what it should be.
    }
  }

  private void problem(Kind kind, Path path, String detail) {
    problems.add(new CacheProblem(kind, path, detail));
  }

  CacheVerification result() {
    problems.sort(Comparator.comparing(CacheProblem::path));
    return new CacheVerification(verifiedFiles, verifiedBytes, unverifiableFiles, problems);
  }
}
