package io.matryoshka.sae.hub;

import io.matryoshka.sae.hub.CacheProblem.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/** Compares stored content with the names it has. */
final class CacheVerifier {
  private final List<CacheProblem> problems = new ArrayList<>();
  private int verifiedFiles;
  private long verifiedBytes;
  private int unverifiableFiles;

  void verify(Path folder, CachedRepo repo, Map<String, String> refs) throws IOException {
    for (Path blob : HubCache.list(folder.resolve("blobs"))) {
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

  private void verifyBlob(Path blob) {
    String name = blob.getFileName().toString();
    if (name.endsWith(".tmp")) {
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
