package io.matryoshka.sae.internal.fetch;

import io.matryoshka.sae.hub.RemoteFile;
import io.matryoshka.sae.safetensors.SafetensorsHeader;
import java.io.IOException;

/** Reads the header of a safetensors file on the Hub, and no more of it. */
public final class RemoteHeader {

  private RemoteHeader() {}

  /**
   * Reads the header.
   *
   * @param remote the file, whose size the server told
   * @return the checked header
   * @throws IOException if it cannot be read, or is no such header
   */
  public static SafetensorsHeader read(RemoteFile remote) throws IOException {
    return SafetensorsHeader.read(new RemoteBytes(remote));
  }
}
