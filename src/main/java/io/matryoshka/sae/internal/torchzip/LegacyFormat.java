package io.matryoshka.sae.internal.torchzip;

import io.matryoshka.sae.store.ByteSource;
import java.io.IOException;
import java.nio.ByteBuffer;

/** Recognises the files that PyTorch wrote before version 1.6. */
final class LegacyFormat {

  private static final int PICKLE = 0x80;

  private LegacyFormat() {}

  /** Refuses a file that is a bare pickle. */
  static void refuse(ByteSource source) throws IOException {
    if (source.size() < 2) {
      throw new TorchZipException(source.name() + ": has " + source.size() + " bytes");
    }
    ByteBuffer start = ByteBuffer.allocate(2);
    source.readFully(0, start);
    if ((start.get(0) & 0xff) == PICKLE && start.get(1) >= 2 && start.get(1) <= 5) {
      throw new TorchZipException(
          source.name()
              + ": is a pickle without a zip archive, the format of PyTorch before 1.6, which is not"
              + " read; load it with torch.load and save it again with torch.save");
    }
  }
}
