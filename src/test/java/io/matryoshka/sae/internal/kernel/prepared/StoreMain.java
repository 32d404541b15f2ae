package io.matryoshka.sae.internal.kernel.prepared;

import io.matryoshka.sae.internal.kernel.SyntheticEncoder;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Loads or builds a synthetic encoder again and again. Arguments: file, seed of the encoder,
 * rounds, what happens while the weights are read, and whether the file is deleted before each
 * round. Waits for a line after {@code READY} and writes {@code RIGHT} or {@code WRONG} for each
 * round.
 */
final class StoreMain {

  /** What happens when weights are read for the second time, with groups written already. */
  enum Event {
    NOTHING,
    /** Says so and waits for its end. */
    HANG,
    /** Somebody else takes all room on the disk. */
    FILL
  }

  private StoreMain() {}

  public static void main(String[] args) throws IOException {
    Path file = Path.of(args[0]);
    SyntheticEncoder encoder = new SyntheticEncoder(Long.parseLong(args[1]));
    Event event = Event.valueOf(args[3]);
    long digest = encoder.digest();
    System.out.println("READY");
    if (System.in.read() < 0) {
      return;
    }
    for (int round = 0; round < Integer.parseInt(args[2]); round++) {
      if (Boolean.parseBoolean(args[4])) {
        Files.deleteIfExists(file);
      }
      EncoderRows rows =
          encoder
              .store(file)
              .loadOrBuild(
                  eventful(encoder.source(), event, file),
                  SyntheticEncoder.D_IN,
                  SyntheticEncoder.D_SAE);
      System.out.println(SyntheticEncoder.digest(rows) == digest ? "RIGHT" : "WRONG");
    }
  }

  private static WeightSource eventful(WeightSource source, Event event, Path file) {
    return (first, target, count) -> {
      boolean lastGroup = count < EncoderRows.TILE_LATENTS && first >= 2 * 2048;
      if (lastGroup && event == Event.HANG) {
        System.out.println("WRITING");
        pause();
      } else if (lastGroup && event == Event.FILL) {
        fill(file.resolveSibling("filler"));
      }
      source.read(first, target, count);
    };
  }

  private static void pause() {
    try {
      Thread.sleep(Long.MAX_VALUE);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static synchronized void fill(Path filler) {
    if (Files.exists(filler)) {
      return;
    }
    byte[] block = new byte[1 << 16];
    try (OutputStream out = Files.newOutputStream(filler)) {
      while (true) {
        out.write(block);
      }
    } catch (IOException e) {
      if (!String.valueOf(e.getMessage()).contains("No space left")) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
