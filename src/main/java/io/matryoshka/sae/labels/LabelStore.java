package io.matryoshka.sae.labels;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.matryoshka.sae.internal.io.FileBytes;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The labels of one SAE in a file: the texts, the place of each by latent, and the provenances that
 * labels share. A look-up reads a few bytes; nothing is held in memory but the provenances.
 *
 * <pre>
 *   texts (UTF-8) … | places: 16 bytes a latent | provenances (JSON) | 32 bytes of {@link Trailer}
 * </pre>
 */
final class LabelStore implements Closeable {

  static final long MAGIC = 0x314c4542414c534dL; // "MSLABEL1"
  static final int PLACE_BYTES = 16;
  static final int TRAILER_BYTES = 32;

  private static final int MAX_PROVENANCE_BYTES = 16 << 20;
  private static final int MAX_TEXT_BYTES = 4 * Label.MAX_CHARACTERS;
  private static final ObjectMapper JSON = new ObjectMapper();

  /** What labels share: model, method, author and day; an empty text where it is not known. */
  record Provenance(String model, String method, String author, String date) {

    static Provenance of(Label label) {
      return new Provenance(
          label.model().orElse(""),
          label.method().orElse(""),
          label.author().orElse(""),
          label.date().orElse(""));
    }
  }

  private final FileBytes file;
  private final List<Provenance> provenances;
  private final long places;
  private final int count;

  private LabelStore(FileBytes file) throws IOException {
    this.file = file;
    ByteBuffer trailer = read(file.size() - TRAILER_BYTES, TRAILER_BYTES);
    long magic = trailer.getLong();
    places = trailer.getLong();
    long provenancePosition = trailer.getLong();
    count = trailer.getInt();
    int provenanceBytes = trailer.getInt();
    if (magic != MAGIC
        || places < 0
        || count < 0
        || places + (long) count * PLACE_BYTES != provenancePosition
        || provenanceBytes < 0
        || provenanceBytes > MAX_PROVENANCE_BYTES
        || provenancePosition + provenanceBytes != file.size() - TRAILER_BYTES) {
      throw new LabelException(file.name() + ": is damaged; delete it, and it is fetched again");
    }
    byte[] json = read(provenancePosition, provenanceBytes).array();
    provenances = JSON.readValue(json, new TypeReference<List<Provenance>>() {});
  }

  static LabelStore open(Path path) throws IOException {
    FileBytes file = FileBytes.open(path);
    try {
      if (file.size() < TRAILER_BYTES) {
        throw new LabelException(path + ": is damaged; delete it, and it is fetched again");
      }
      return new LabelStore(file);
    } catch (Throwable e) {
      file.close();
      throw e;
    }
  }

  Optional<Label> find(int latent) throws IOException {
    if (latent < 0 || latent >= count) {
      return Optional.empty();
    }
    ByteBuffer place = read(places + (long) latent * PLACE_BYTES, PLACE_BYTES);
    long position = place.getLong();
    int length = place.getInt();
    int provenance = place.getInt();
    if (length == 0) {
      return Optional.empty();
    }
    if (length < 0
        || length > MAX_TEXT_BYTES
        || position < 0
        || position > places - length
        || provenance < 0
        || provenance >= provenances.size()) {
      throw new LabelException(file.name() + ": is damaged; delete it, and it is fetched again");
    }
    Provenance from = provenances.get(provenance);
    return Optional.of(
        new Label(
            latent,
            new String(read(position, length).array(), StandardCharsets.UTF_8),
            Optional.of(from.model()),
            Optional.of(from.method()),
            Optional.of(from.author()),
            Optional.of(from.date())));
  }

  private ByteBuffer read(long position, int length) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    file.readFully(position, bytes);
    return bytes.flip();
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
