package io.matryoshka.sae.hub;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/** Writes a transfer into a part file, tells the listener, and keeps the hash up with it. */
final class PartSink implements TransferSink, Closeable {
  private final PartFile part;
  private final ProgressReporter progress;
  private final Optional<IncrementalHasher> hasher;
  private volatile boolean inOrder = true;

  PartSink(PartFile part, ContentHash hash, ProgressReporter progress) throws IOException {
    part.restoreIfDeleted();
    this.part = part;
    this.progress = progress;
    this.hasher =
        hash == ContentHash.SHA256
            ? Optional.of(IncrementalHasher.start(part.path()))
            : Optional.empty();
  }

  /** From now on ranges may come in any order, and {@link #advance} says what is without gaps. */
  void leaveOrder(long prefix) throws IOException {
    inOrder = false;
    advance(prefix);
  }

  /** Starts over with one range after the other. */
  void enterOrder() throws IOException {
    inOrder = true;
    restart();
  }

  /** Tells that all bytes before {@code prefix} are written. */
  void advance(long prefix) throws IOException {
    if (!inOrder) {
      part.notePrefix(prefix);
    }
    hasher.ifPresent(h -> h.advance(prefix));
  }

  @Override
  public void write(List<ByteBuffer> data, long position) throws IOException {
    long length = data.stream().mapToLong(ByteBuffer::remaining).sum();
    part.write(data, position);
    if (inOrder) {
      advance(position + length);
    }
    progress.add(length);
  }

  @Override
  public void restart() throws IOException {
    hasher.ifPresent(IncrementalHasher::restart);
    part.truncate();
    progress.reset();
  }

  /** Returns the hash of the finished file under the rule that its name follows. */
  String hash(ContentHash hash) throws IOException {
    part.restoreIfDeleted();
    return hasher.isPresent() ? hasher.get().finish() : hash.hash(part.path());
  }

  @Override
  public void close() {
    hasher.ifPresent(IncrementalHasher::close);
  }
}
