package io.matryoshka.sae.labels;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/** A stream that fails beyond a number of bytes, so that a small file cannot unpack to any size. */
final class BoundedStream extends FilterInputStream {

  private final String source;
  private final long limit;
  private long done;

  BoundedStream(InputStream in, long limit, String source) {
    super(in);
    this.limit = limit;
    this.source = source;
  }

  @Override
  public int read() throws IOException {
    int value = super.read();
    count(value < 0 ? 0 : 1);
    return value;
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    int count = super.read(target, offset, length);
    count(Math.max(0, count));
    return count;
  }

  private void count(int more) throws LabelException {
    done += more;
    if (done > limit) {
      throw new LabelException(source + ": unpacks to more than " + limit + " bytes");
    }
  }
}
