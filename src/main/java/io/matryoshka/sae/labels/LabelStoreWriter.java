package io.matryoshka.sae.labels;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Writes a {@link LabelStore}, which appears under its name when it is whole. */
final class LabelStoreWriter implements Closeable {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path target;
  private final Path temporary;
  private final OutputStream out;
  private final Map<LabelStore.Provenance, Integer> provenances = new LinkedHashMap<>();
  private long[] positions = new long[1024];
  private int[] lengths = new int[1024];
  private int[] provenanceOf = new int[1024];
  private int count;
  private int labels;
  private long written;

  LabelStoreWriter(Path target) throws IOException {
    this.target = target;
    Files.createDirectories(target.getParent());
    temporary = Files.createTempFile(target.getParent(), ".labels", ".tmp");
    out = new BufferedOutputStream(Files.newOutputStream(temporary), 1 << 16);
  }

  /** Adds a label; the first one of a latent is kept. */
  void add(Label label) throws IOException {
    int latent = label.latent();
    if (latent >= positions.length) {
      int size = Math.max(latent + 1, 2 * positions.length);
      positions = Arrays.copyOf(positions, size);
      lengths = Arrays.copyOf(lengths, size);
      provenanceOf = Arrays.copyOf(provenanceOf, size);
    }
    if (lengths[latent] > 0) {
      return;
    }
    byte[] text = label.text().getBytes(StandardCharsets.UTF_8);
    positions[latent] = written;
    lengths[latent] = text.length;
    LabelStore.Provenance from = LabelStore.Provenance.of(label);
    provenanceOf[latent] = provenances.computeIfAbsent(from, p -> provenances.size());
    out.write(text);
    written += text.length;
    count = Math.max(count, latent + 1);
    labels++;
  }

  /** Number of latents that have a label. */
  int labels() {
    return labels;
  }

  void finish() throws IOException {
    ByteBuffer place = littleEndian(LabelStore.PLACE_BYTES);
    for (int latent = 0; latent < count; latent++) {
      place.clear().putLong(positions[latent]).putInt(lengths[latent]).putInt(provenanceOf[latent]);
      out.write(place.array());
    }
    List<LabelStore.Provenance> shared = new ArrayList<>(provenances.keySet());
    byte[] json = JSON.writeValueAsBytes(shared);
    out.write(json);
    ByteBuffer trailer = littleEndian(LabelStore.TRAILER_BYTES);
    trailer.putLong(LabelStore.MAGIC).putLong(written);
    trailer.putLong(written + (long) count * LabelStore.PLACE_BYTES);
    trailer.putInt(count).putInt(json.length);
    out.write(trailer.array());
    out.close();
    Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
  }

  private static ByteBuffer littleEndian(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Ends writing; without a {@link #finish} before, nothing is left. */
  @Override
  public void close() throws IOException {
    try {
      out.close();
    } finally {
      Files.deleteIfExists(temporary);
    }
  }
}
