package io.matryoshka.sae.hub;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/** Takes the bytes of a transfer. A failure of the sink ends the transfer. */
interface TransferSink {
  /** Takes all remaining bytes of the buffers. */
  void write(List<ByteBuffer> data, long position) throws IOException;

  /** Forgets what it got: the transfer starts again at byte 0. */
  void restart() throws IOException;
}
