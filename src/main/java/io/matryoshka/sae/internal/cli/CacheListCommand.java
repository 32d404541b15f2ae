package io.matryoshka.sae.internal.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.hub.CachedFile;
import io.matryoshka.sae.hub.CachedRepo;
import io.matryoshka.sae.hub.CachedRevision;
import io.matryoshka.sae.hub.HubCache;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Lists what the Hub cache holds. */
@Command(
    name = "list",
    description = "Lists the repositories and files in the cache.",
    footer = {"", "Example:", "  matryoshka-sae cache list --json"})
final class CacheListCommand implements Callable<Integer> {

  @Mixin private CacheDirMixin cache;

  @Mixin private Output output;

  @Override
  public Integer call() throws IOException {
    Path folder = cache.orDefault();
    List<CachedRepo> repos = new HubCache(folder).repos();
    if (output.isJson()) {
      output.json(json(folder, repos));
      return ExitCode.OK.code();
    }
    if (repos.isEmpty()) {
      output.line("nothing is cached in " + folder);
    }
    for (CachedRepo repo : repos) {
      output.line("%s (%s), %s".formatted(repo.repoId(), repo.type(), size(repo.sizeBytes())));
      for (CachedRevision revision : repo.revisions()) {
        output.line("  revision " + revision.commit() + " " + revision.refs());
        TextTable table = TextTable.of("   ", ">", "");
        for (CachedFile file : revision.files()) {
          table.row("   ", file.complete() ? size(file.sizeBytes()) : "missing", file.filename());
        }
        table.lines().stream().skip(1).forEach(output::line);
      }
    }
    return ExitCode.OK.code();
  }

  private static String size(long bytes) {
    return Numbers.bytes(bytes);
  }

  private static ObjectNode json(Path folder, List<CachedRepo> repos) {
    ObjectNode result = Output.object().put("path", folder.toString());
    ArrayNode array = result.putArray("repos");
    for (CachedRepo repo : repos) {
      ArrayNode revisions =
          array
              .addObject()
              .put("repo", repo.repoId())
              .put("type", repo.type())
              .put("bytes", repo.sizeBytes())
              .putArray("revisions");
      for (CachedRevision revision : repo.revisions()) {
        ObjectNode node = revisions.addObject().put("commit", revision.commit());
        revision.refs().forEach(node.putArray("refs")::add);
        ArrayNode files = node.putArray("files");
        for (CachedFile file : revision.files()) {
          files
              .addObject()
              .put("name", file.filename())
              .put("path", file.path().toString())
              .put("bytes", file.sizeBytes())
              .put("complete", file.complete());
        }
      }
    }
    return result;
  }
}
