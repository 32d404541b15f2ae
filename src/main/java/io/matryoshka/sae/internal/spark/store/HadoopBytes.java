package io.matryoshka.sae.internal.spark.store;

import io.matryoshka.sae.store.ByteSource;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.ExecutionException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * The bytes of a file on a file system that Hadoop knows. Reads go on where the one before ended,
 * so an object store is told to expect a sequence.
 */
public final class HadoopBytes implements ByteSource {

  private static final int PART = 1 << 20;

  /** Hadoop 3.3.5 or later heeds the first, the connector of S3 before it the second. */
  private static final String[] READ_POLICIES = {
    "fs.option.openfile.read.policy", "fs.s3a.experimental.input.fadvise"
  };

  private final String name;
  private final long size;
  private final FSDataInputStream input;

  private HadoopBytes(String name, long size, FSDataInputStream input) {
    this.name = name;
    this.size = size;
    this.input = input;
  }

  static HadoopBytes open(Path path, Configuration hadoop) throws IOException {
    FileSystem files = path.getFileSystem(hadoop);
    long size = files.getFileStatus(path).getLen();
    var builder = files.openFile(path);
    for (String policy : READ_POLICIES) {
      builder.opt(policy, "sequential");
    }
    try {
      return new HadoopBytes(path.toString(), size, builder.build().get());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(path + ": interrupted while it was opened", e);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof IOException io ? io : new IOException(path.toString(), e);
    }
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public void readFully(long position, ByteBuffer target) throws IOException {
    if (position + target.remaining() > size) {
      throw new EOFException(
          "%s: ends at byte %d, expected %d more at %d"
              .formatted(name, size, target.remaining(), position));
    }
    if (target.hasArray()) {
      int count = target.remaining();
      input.readFully(position, target.array(), target.arrayOffset() + target.position(), count);
      target.position(target.limit());
      return;
    }
    byte[] part = new byte[Math.min(PART, target.remaining())];
    for (long at = position; target.hasRemaining(); ) {
      int count = Math.min(part.length, target.remaining());
      input.readFully(at, part, 0, count);
      target.put(part, 0, count);
      at += count;
    }
  }

  @Override
  public void close() throws IOException {
    input.close();
  }
}
