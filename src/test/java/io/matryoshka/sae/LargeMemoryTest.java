package io.matryoshka.sae;

import static org.assertj.core.api.Assertions.assertThat;

import io.matryoshka.sae.internal.bench.SyntheticSae;
import io.matryoshka.sae.support.ChildJvm;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * The resident memory that an SAE of real size takes, in JVMs of their own. Takes a minute and 2 GB
 * of disk:
 *
 * <pre>{@code mvn test -Plarge -Dtest=LargeMemoryTest}</pre>
 *
 * <p>The same tokens go through a tiny SAE of the same {@code d_in} first. What that takes is the
 * JVM, libtorch and the buffers of a block; the rest is the SAE. The heap is small, since garbage
 * that the JVM has not yet collected would count.
 */
@EnabledOnOs(OS.LINUX)
@Tag("large")
class LargeMemoryTest {

  private static final int D_IN = Integer.getInteger("large.dIn", 2304);
  private static final int D_SAE = Integer.getInteger("large.dSae", 32768);
  private static final int TINY = 256;
  private static final int ROWS = 512;
  private static final int FORWARDS = 20;
  private static final long ENCODER_BYTES = (long) D_IN * D_SAE * Float.BYTES;

  /** Weights, all of which the tokens may touch, and 60 % of the encoder for what is prepared. */
  private static final long MOST_BYTES = 2 * ENCODER_BYTES + ENCODER_BYTES * 6 / 10;

  @TempDir Path folder;

  private final SyntheticSae synthetic = new SyntheticSae(D_IN, D_SAE, 5);

  private void writeTokens() throws IOException {
    ByteBuffer bytes =
        ByteBuffer.allocate(ROWS * D_IN * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    try (FileChannel out =
        FileChannel.open(
            folder.resolve("tokens"), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      for (int block = 0; block < FORWARDS; block++) {
        bytes.clear().asFloatBuffer().put(synthetic.tokens((long) block * ROWS, ROWS));
        while (bytes.hasRemaining()) {
          out.write(bytes);
        }
      }
    }
  }

  /** Runs all tokens in a JVM of its own and gives its peak resident memory in bytes. */
  private long peak(String what, String sae, boolean prepared) throws Exception {
    List<String> lines;
    try (ChildJvm child =
        ChildJvm.start(
            List.of(),
            List.of("-Xmx128m", "-Xms32m", "-Dai.djl.offline=true"),
            ResidentMain.class,
            folder.resolve(sae),
            folder.resolve("tokens"),
            ROWS,
            FORWARDS,
            prepared)) {
      lines = child.finish();
    }
    lines.stream()
        .filter(line -> line.matches("(base|load|encode|forward(1|3|20)) .*"))
        .forEach(line -> System.out.println(what + ": " + line));
    String last = lines.get(lines.size() - 1);
    assertThat(last).startsWith("forward" + FORWARDS + " ");
    return Long.parseLong(last.split(" ")[2]) << 10;
  }

  @Test
  void forward_manyTokens_staysWithinTheWeightsAndPartOfTheEncoder() throws Exception {
    new SyntheticSae(D_IN, TINY, 5).write(folder.resolve("tiny"));
    synthetic.write(folder.resolve("sae"));
    writeTokens();
    Path stored = folder.resolve("sae").resolve(".matryoshka-sae.encoder");

    long base = peak("tiny SAE", "tiny", true);
    long inMemory = peak("in memory", "sae", false);
    assertThat(stored).doesNotExist();
    long built = peak("built", "sae", true);
    assertThat(Files.size(stored)).isGreaterThan(ENCODER_BYTES);
    long read = peak("read", "sae", true);

    System.out.printf(
        Locale.ROOT,
        "d_in %d, d_sae %d: at most %d MB; in memory %d, built %d, read %d; tiny SAE alone %d%n",
        D_IN,
        D_SAE,
        MOST_BYTES / 1_000_000,
        (inMemory - base) / 1_000_000,
        (built - base) / 1_000_000,
        (read - base) / 1_000_000,
        base / 1_000_000);
    assertThat(List.of(inMemory - base, built - base, read - base))
        .allSatisfy(bytes -> assertThat(bytes).isLessThanOrEqualTo(MOST_BYTES));
  }
}
