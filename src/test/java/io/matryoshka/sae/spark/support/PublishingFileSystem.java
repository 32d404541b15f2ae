package io.matryoshka.sae.spark.support;

import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Abortable;
import org.apache.hadoop.fs.CommonPathCapabilities;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.util.Progressable;

/**
 * A store as S3 is: no rename; an object appears when its stream is closed, also after a write has
 * failed, unless the stream is aborted. {@code publish:///a/b} lies at {@code /a/b}.
 *
 * <p>Where the file of {@value #FAIL_ONCE} exists, one write of a shard fails halfway and the file
 * goes.
 */
public final class PublishingFileSystem extends RawLocalFileSystem {

  public static final String IMPLEMENTATION = "fs.publish.impl";
  public static final String FAIL_ONCE = "fs.publish.fail.once";

  private static final URI ROOT = URI.create("publish:///");
  private static final int FAILS_AFTER = 1000;

  @Override
  public String getScheme() {
    return "publish";
  }

  @Override
  public URI getUri() {
    return ROOT;
  }

  @Override
  public boolean rename(Path from, Path to) {
    throw new UnsupportedOperationException("this store has no rename");
  }

  @Override
  public boolean hasPathCapability(Path path, String capability) throws IOException {
    return capability.equals(CommonPathCapabilities.ABORTABLE_STREAM)
        || super.hasPathCapability(path, capability);
  }

  @Override
  public FSDataOutputStream create(
      Path path,
      FsPermission permission,
      boolean overwrite,
      int bufferSize,
      short replication,
      long blockSize,
      Progressable progress)
      throws IOException {
    boolean fails = path.getName().startsWith("latents-") && failsOnce(getConf());
    return new FSDataOutputStream(new Upload(pathToFile(path).toPath(), fails), null);
  }

  @Override
  public FSDataOutputStream create(
      Path path, boolean overwrite, int bufferSize, short replication, long blockSize)
      throws IOException {
    return create(path, null, overwrite, bufferSize, replication, blockSize, null);
  }

  private static boolean failsOnce(Configuration conf) throws IOException {
    String marker = conf.get(FAIL_ONCE, "");
    return !marker.isEmpty() && Files.deleteIfExists(java.nio.file.Path.of(marker));
  }

  /** An object on its way to the store. */
  private static final class Upload extends OutputStream implements Abortable {
    private final java.nio.file.Path target;
    private final boolean fails;
    private final java.nio.file.Path parts;
    private final OutputStream out;
    private long written;
    private boolean closed;

    Upload(java.nio.file.Path target, boolean fails) throws IOException {
      this.target = target;
      this.fails = fails;
      parts = Files.createTempFile("publish", ".part");
      out = Files.newOutputStream(parts);
    }

    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      out.write(bytes, offset, length);
      written += length;
      if (fails && written > FAILS_AFTER) {
        throw new IOException("the store went away");
      }
    }

    @Override
    public void close() throws IOException {
      if (!closed) {
        closed = true;
        out.close();
        Files.createDirectories(target.getParent());
        Files.move(parts, target, StandardCopyOption.REPLACE_EXISTING);
      }
    }

    @Override
    public AbortableResult abort() {
      closed = true;
      try {
        out.close();
        Files.delete(parts);
      } catch (IOException e) {
        throw new IllegalStateException(e);
      }
      return new AbortableResult() {
        @Override
        public boolean alreadyClosed() {
          return false;
        }

        @Override
        public IOException anyCleanupException() {
          return null;
        }
      };
    }
  }
}
