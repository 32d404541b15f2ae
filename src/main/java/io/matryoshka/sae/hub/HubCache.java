package io.matryoshka.sae.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * What is stored in a cache folder, whoever put it there. Reads, and {@link #verify()} clears what
 * this library itself has left; what it does not know, it leaves out. Safe for concurrent use, also
 * while downloads run.
 */
public final class HubCache {
  private static final Map<String, String> TYPES =
      Map.of(
          "models--", "model", "datasets--", "dataset", "spaces--", "space", "kernels--", "kernel");

  private final Path cacheDir;

  /**
   * Looks at a cache folder.
   *
   * @param cacheDir the folder, as {@link HubClient#cacheDir()} tells it; need not exist
   */
  public HubCache(Path cacheDir) {
    this.cacheDir = Objects.requireNonNull(cacheDir, "cacheDir").toAbsolutePath();
  }

  /**
   * Finds a file of a model repository.
   *
   * @param file what to find; a branch or tag means the commit that it named when last seen
   * @return its path, or empty if it is not stored completely
   */
  public Optional<Path> find(RepoFile file) {
    return new RepoCache(cacheDir, file.repoId()).find(file);
  }

  /**
   * Lists what is stored.
   *
   * @return the repositories in order of type and name; none if the folder does not exist
   * @throws IOException if the cache cannot be read
   */
  public List<CachedRepo> repos() throws IOException {
    List<CachedRepo> repos = new ArrayList<>();
    for (Path folder : repoFolders()) {
      repos.add(repo(folder));
    }
    return List.copyOf(repos);
  }

  /**
   * Reads everything that is stored and compares it with the hash by which it is named. Deletes
   * what a killed download of this library has left of a file that is whole by now, and nothing
   * else.
   *
   * @return what was found
   * @throws IOException if the cache cannot be listed
   */
  public CacheVerification verify() throws IOException {
    return verify(repoId -> true);
  }

  /**
   * Does the same for some repositories.
   *
   * @param repoIds tells which, by {@code name} or {@code owner/name}
   * @return what was found
   * @throws IOException if the cache cannot be listed
   */
  public CacheVerification verify(Predicate<String> repoIds) throws IOException {
    CacheVerifier verifier = new CacheVerifier();
    for (Path folder : repoFolders()) {
      if (repoIds.test(repoId(folder))) {
        verifier.verify(folder, repo(folder), refs(folder));
      }
    }
    return verifier.result();
  }

  private List<Path> repoFolders() throws IOException {
    return list(cacheDir).stream()
        .filter(p -> prefix(p).isPresent() && Files.isDirectory(p))
        .toList();
  }

  private static Optional<String> prefix(Path folder) {
    String name = folder.getFileName().toString();
    return TYPES.keySet().stream().filter(name::startsWith).findFirst();
  }

  private static String repoId(Path folder) {
    String name = folder.getFileName().toString();
    return name.substring(prefix(folder).orElseThrow().length()).replace("--", "/");
  }

  private static CachedRepo repo(Path folder) throws IOException {
    Map<String, Set<String>> refsByCommit = new HashMap<>();
    refs(folder)
        .forEach(
            (ref, commit) -> refsByCommit.computeIfAbsent(commit, c -> new TreeSet<>()).add(ref));
    List<CachedRevision> revisions = new ArrayList<>();
    Set<Path> counted = new HashSet<>();
    long bytes = 0;
    for (Path snapshot : list(folder.resolve("snapshots"))) {
      List<CachedFile> files = new ArrayList<>();
      for (Path path : filesBelow(snapshot)) {
        CachedFile file = file(snapshot, path);
        files.add(file);
        if (file.complete() && counted.add(path.toRealPath())) {
          bytes += file.sizeBytes();
        }
      }
      String commit = snapshot.getFileName().toString();
      revisions.add(
          new CachedRevision(
              commit, List.copyOf(refsByCommit.getOrDefault(commit, Set.of())), files));
    }
    String type = TYPES.get(prefix(folder).orElseThrow());
    return new CachedRepo(type, repoId(folder), folder, bytes, revisions);
  }

  private static CachedFile file(Path snapshot, Path path) throws IOException {
    boolean complete = Files.isRegularFile(path);
    return new CachedFile(
        slashes(snapshot.relativize(path)), path, complete ? Files.size(path) : 0, complete);
  }

  /** Returns the commits by ref. */
  private static Map<String, String> refs(Path folder) throws IOException {
    Path refs = folder.resolve("refs");
    Map<String, String> commits = new TreeMap<>();
    for (Path ref : filesBelow(refs)) {
      commits.put(slashes(refs.relativize(ref)), Files.readString(ref).strip());
    }
    return commits;
  }

  private static String slashes(Path path) {
    return path.toString().replace(path.getFileSystem().getSeparator(), "/");
  }

  static List<Path> list(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return List.of();
    }
    if (!Files.isDirectory(folder)) {
      throw new NotDirectoryException(folder.toString());
    }
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.sorted().toList();
    }
  }

  private static List<Path> filesBelow(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> entries = Files.walk(folder)) {
      return entries
          .filter(p -> !Files.isDirectory(p, LinkOption.NOFOLLOW_LINKS))
          .sorted()
          .toList();
    }
  }
}
