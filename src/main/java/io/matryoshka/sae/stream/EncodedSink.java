package io.matryoshka.sae.stream;

import java.io.IOException;

/** Stores encoded batches in order. Used by the writing thread, and closed after its end. */
interface EncodedSink extends AutoCloseable {

  void accept(EncodedBatch batch) throws IOException;

  @Override
  void close() throws IOException;
}
