package io.matryoshka.sae.hub;

import io.matryoshka.sae.internal.io.AtomicFile;
import io.matryoshka.sae.internal.io.ProcessLock;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ThreadLocalRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The folder of one model repository inside the cache: where things are, and how they get there.
 */
final class RepoCache {
  private static final Logger LOG = LoggerFactory.getLogger(RepoCache.class);
  private static final String TAG =
      """
      Signature: 8a477f597d28d172789f06886806bc55
      # This file is a cache directory tag created by huggingface_hub.
      # For information about cache directory tags, see: https://bford.info/cachedir/
      """;

  private final Path cacheDir;
  private final Path repo;

  RepoCache(Path cacheDir, String repoId) {
    this.cacheDir = cacheDir;
    this.repo = cacheDir.resolve("models--" + repoId.replace("/", "--"));
  }

  /** Takes the folder of a repository of any kind. */
  static RepoCache ofFolder(Path repo) {
    return new RepoCache(repo);
  }

  private RepoCache(Path repo) {
    this.cacheDir = repo.getParent();
    this.repo = repo;
  }

  Path blob(String etag) {
    return repo.resolve("blobs").resolve(etag);
  }

  Path snapshot(String commit, String filename) {
    return repo.resolve("snapshots").resolve(commit).resolve(filename);
  }

  /** Returns the commit in whose snapshot a file lies. */
  String commitOf(Path path, RepoFile file) {
    Path snapshots = repo.resolve("snapshots");
    if (path.startsWith(snapshots) && path.getNameCount() > snapshots.getNameCount() + 1) {
      String commit = path.getName(snapshots.getNameCount()).toString();
      if (path.equals(snapshot(commit, file.filename()))) {
        return commit;
      }
    }
    throw new IllegalArgumentException(
        "expected the path of " + file + " in " + snapshots + ", got " + path);
  }

  Path lock(String etag) {
    return cacheDir.resolve(".locks").resolve(repo.getFileName()).resolve(etag + ".lock");
  }

  private Path absence(String commit, String filename) {
    return repo.resolve(".no_exist").resolve(commit).resolve(filename);
  }

  private Path ref(String revision) {
    return repo.resolve("refs").resolve(revision);
  }

  /** Returns the commit that a revision named when it was last seen online. */
  Optional<String> commit(String revision) {
    if (RepoFile.isCommit(revision)) {
      return Optional.of(revision);
    }
    try {
      Path ref = ref(revision);
      return Files.isRegularFile(ref)
          ? Optional.of(Files.readString(ref).strip()).filter(RepoFile::isCommit)
          : Optional.empty();
    } catch (IOException e) {
      LOG.warn("Ref {} cannot be read", ref(revision), e);
      return Optional.empty();
    }
  }

  /** Finds a stored file; a link whose target is missing does not count. */
  Optional<Path> find(RepoFile file) {
    return commit(file.revision())
        .map(commit -> snapshot(commit, file.filename()))
        .filter(Files::isRegularFile);
  }

  boolean isKnownAbsent(RepoFile file) {
    return commit(file.revision())
        .filter(commit -> Files.isRegularFile(absence(commit, file.filename())))
        .isPresent();
  }

  /** Tells whether a file is stored with the right length. */
  static boolean isComplete(Path path, OptionalLong size) {
    try {
      return Files.isRegularFile(path) && (size.isEmpty() || Files.size(path) == size.getAsLong());
    } catch (IOException e) {
      return false; // It went away in between.
    }
  }

  /**
   * Deletes what a killed download of a file has left, now that the file is whole: another client
   * may have finished it.
   */
  void clearDeadPart(Path snapshot) {
    try {
      if (Files.isSymbolicLink(snapshot)) {
        clearDeadPartOf(blob(Files.readSymbolicLink(snapshot).getFileName().toString()));
      }
    } catch (IOException e) {
      LOG.debug("What a download of {} has left stays", snapshot, e);
    }
  }

  /** Does the same for a blob; a part file that a running program writes stays. */
  void clearDeadPartOf(Path blob) throws IOException {
    if (PartFile.hasPart(blob)) {
      Optional<ProcessLock> lock = ProcessLock.tryAcquire(lock(blob.getFileName().toString()));
      if (lock.isPresent()) {
        try (ProcessLock held = lock.get()) {
          LOG.debug("Deleting the part file of {}, which is whole, under {}", blob, held);
          PartFile.discardDead(blob);
        }
      }
    }
  }

  /** Makes the folders for a file's blob and snapshot. */
  void prepare(Path snapshot) throws IOException {
    try {
      Files.createDirectories(repo.resolve("blobs"));
      Files.createDirectories(snapshot.getParent());
    } catch (IOException e) {
      throw PartFile.writeFailure(repo, e);
    }
    tagCacheDir();
  }

  private void tagCacheDir() {
    Path tag = cacheDir.resolve("CACHEDIR.TAG");
    try {
      if (Files.notExists(tag)) {
        Files.writeString(tag, TAG);
      }
    } catch (IOException e) {
      LOG.debug("{} cannot be written", tag, e);
    }
  }

  /** Notes which commit a revision names. Failure only costs the look-up offline, and is logged. */
  void writeRef(String revision, String commit) {
    if (revision.equals(commit) || commit(revision).filter(commit::equals).isPresent()) {
      return;
    }
    Path ref = ref(revision);
    try {
      Files.createDirectories(ref.getParent());
      // Python reads every file in refs as a ref, so that a temporary one must lie elsewhere.
      try (AtomicFile file = AtomicFile.create(ref, blobs())) {
        file.writeFully(commit.getBytes(StandardCharsets.US_ASCII));
        file.commit();
      }
    } catch (IOException e) {
      LOG.debug("Ref {} cannot be written; offline, the revision will not be found", ref, e);
    }
  }

  /** Notes that a commit lacks a file. Failure is logged only. */
  void markAbsent(RepoFile file, String commit) {
    Path mark = absence(commit, file.filename());
    try {
      Files.createDirectories(mark.getParent());
      if (Files.notExists(mark)) {
        Files.createFile(mark);
      }
    } catch (IOException e) {
      LOG.debug("{} cannot be written", mark, e);
    }
    writeRef(file.revision(), commit);
  }

  /**
   * Makes a blob visible under its file name.
   *
   * @param fresh the blob was fetched just now, so it may be moved where links are impossible
   * @param symlinks links are wanted
   */
  void publish(Path blob, Path snapshot, boolean fresh, boolean symlinks) throws IOException {
    try {
      if (symlinks && link(blob, snapshot)) {
        return;
      }
      if (fresh && !Files.isSymbolicLink(blob)) {
        AtomicFile.replace(blob, snapshot);
      } else {
        copy(blob, snapshot);
      }
    } catch (IOException e) {
      throw PartFile.writeFailure(snapshot, e);
    }
  }

  private boolean link(Path blob, Path snapshot) throws IOException {
    Path target = snapshot.getParent().relativize(blob);
    if (Files.isSymbolicLink(snapshot) && Files.readSymbolicLink(snapshot).equals(target)) {
      return true;
    }
    Path temporary =
        blobs()
            .resolve(HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextLong()) + ".tmp");
    try {
      Files.createSymbolicLink(temporary, target);
    } catch (IOException | UnsupportedOperationException e) {
      LOG.debug("No symbolic links in {}; storing the file itself", repo, e);
      return false;
    }
    try {
      AtomicFile.replace(temporary, snapshot);
      return true;
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  private void copy(Path blob, Path snapshot) throws IOException {
    try (AtomicFile file = AtomicFile.create(snapshot, blobs());
        FileChannel source = FileChannel.open(blob)) {
      long size = source.size();
      for (long done = 0; done < size; ) {
        done += source.transferTo(done, size - done, file.channel());
      }
      file.commit();
    }
  }

  private Path blobs() throws IOException {
    return Files.createDirectories(repo.resolve("blobs"));
  }
}
