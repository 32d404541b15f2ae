package io.matryoshka.sae.internal.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.hub.CacheProblem;
import io.matryoshka.sae.hub.CacheVerification;
import io.matryoshka.sae.hub.CachedRepo;
import io.matryoshka.sae.hub.HubCache;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Compares what the Hub cache holds with the hashes by which it is named. */
@Command(
    name = "verify",
    description =
        "Reads all that is cached and compares it with its hashes. The exit code is 1 if something"
            + " cannot be used.",
    footer = {"", "Example:", "  matryoshka-sae cache verify"})
final class CacheVerifyCommand implements Callable<Integer> {

  @Parameters(
      paramLabel = "OWNER/REPO",
      arity = "0..*",
      description = "Repositories to check; default: all.")
  private List<String> names = new ArrayList<>();

  @Mixin private CacheDirMixin cacheDir;

  @Mixin private Output output;

  @Override
  public Integer call() throws IOException {
    HubCache cache = new HubCache(cacheDir.orDefault());
    List<CachedRepo> repos = cache.repos();
    for (String name : names) {
      if (repos.stream().noneMatch(repo -> repo.repoId().equals(name))) {
        throw new IllegalArgumentException(
            "%s is not in the cache %s; 'cache list' shows what is"
                .formatted(name, cacheDir.orDefault()));
      }
    }
    CacheVerification found = verify(cache, repos);
    if (output.isJson()) {
      output.json(json(found));
    } else {
      print(found);
    }
    return (found.isSound() ? ExitCode.OK : ExitCode.PROBLEMS).code();
  }

  /** Checks repository by repository, so that a bar can tell how far it is. */
  private CacheVerification verify(HubCache cache, List<CachedRepo> all) throws IOException {
    List<CachedRepo> repos =
        all.stream().filter(r -> names.isEmpty() || names.contains(r.repoId())).toList();
    CacheVerification sum = new CacheVerification(0, 0, 0, List.of());
    long done = 0;
    try (Progress progress =
        output.byteProgress("verify", repos.stream().mapToLong(CachedRepo::sizeBytes).sum())) {
      for (String repoId : repos.stream().map(CachedRepo::repoId).distinct().toList()) {
        progress.stepTo(done);
        sum = add(sum, cache.verify(repoId::equals));
        for (CachedRepo repo : repos) {
          done += repo.repoId().equals(repoId) ? repo.sizeBytes() : 0;
        }
      }
      progress.stepTo(done);
    }
    return sum;
  }

  private static CacheVerification add(CacheVerification a, CacheVerification b) {
    List<CacheProblem> problems = new ArrayList<>(a.problems());
    problems.addAll(b.problems());
    return new CacheVerification(
        a.verifiedFiles() + b.verifiedFiles(),
        a.verifiedBytes() + b.verifiedBytes(),
        a.unverifiableFiles() + b.unverifiableFiles(),
        problems);
  }

  private void print(CacheVerification found) {
    for (CacheProblem problem : found.problems()) {
      output.line(kind(problem) + ": " + problem.path() + ": " + problem.detail());
    }
    output.line(
        "%d files verified (%s), %d without a hash to compare with, %d problems"
            .formatted(
                found.verifiedFiles(),
                Numbers.bytes(found.verifiedBytes()),
                found.unverifiableFiles(),
                found.problems().size()));
  }

  private static ObjectNode json(CacheVerification found) {
    ObjectNode result =
        Output.object()
            .put("sound", found.isSound())
            .put("verified_files", found.verifiedFiles())
            .put("verified_bytes", found.verifiedBytes())
            .put("unverifiable_files", found.unverifiableFiles());
    ArrayNode problems = result.putArray("problems");
    for (CacheProblem problem : found.problems()) {
      problems
          .addObject()
          .put("kind", kind(problem))
          .put("path", problem.path().toString())
          .put("detail", problem.detail());
    }
    return result;
  }

  private static String kind(CacheProblem problem) {
    return problem.kind().name().toLowerCase(Locale.ROOT);
  }
}
