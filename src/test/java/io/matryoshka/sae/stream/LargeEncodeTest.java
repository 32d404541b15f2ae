package io.matryoshka.sae.stream;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.management.OperatingSystemMXBean;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.internal.bench.SyntheticSae;
import io.matryoshka.sae.npy.NpyWriter;
import io.matryoshka.sae.support.ChildJvm;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * An SAE of real size on more activations than memory holds. Takes minutes, 2 GB of memory and 7 GB
 * of disk:
 *
 * <pre>{@code mvn test -Plarge -Dtest=LargeEncodeTest}</pre>
 *
 * <p>It prints times and memory; they depend on the machine, so nothing is asserted of them.
 */
@Tag("large")
class LargeEncodeTest {

  private static final int D_IN = 2304;
  private static final int D_SAE = 32768;
  private static final int BATCH_ROWS = 1024;

  /** Tokens that differ; the files hold them again and again. */
  private static final int TOKENS = 4096;

  private static final int FILES = 8;
  private static final int ROWS_PER_FILE = (int) ((4L << 30) / (FILES * D_IN * Float.BYTES));
  private static final int ROUNDS = 7;

  @TempDir Path folder;

  private final SyntheticSae synthetic = new SyntheticSae(D_IN, D_SAE, 5);

  private void writeActivations(Path target, float[] tokens, int files, int rows)
      throws IOException {
    Files.createDirectories(target);
    for (int f = 0; f < files; f++) {
      try (NpyWriter writer = NpyWriter.create(target.resolve("part-" + f + ".npy"), rows, D_IN)) {
        for (int row = 0; row < rows; row++) {
          int token = (int) (((long) f * rows + row) % TOKENS);
          writer.write(tokens, token * D_IN, D_IN);
        }
        writer.finish();
      }
    }
  }

  @Test
  void encode_4GigabytesInAHeapOf512Megabytes_givesEveryRow() throws Exception {
    Path saeFolder = synthetic.write(folder.resolve("sae"));
    float[] tokens = synthetic.tokens(0, TOKENS);
    writeActivations(folder.resolve("activations"), tokens, FILES, ROWS_PER_FILE);
    Path out = folder.resolve("out");
    List<String> lines;
    long rss = 0;
    long anonymous = 0;
    try (ChildJvm child =
        ChildJvm.start(
            List.of(),
            List.of("-Xmx512m"),
            MeasuredMain.class,
            "encode",
            "--dir",
            saeFolder,
            "-i",
            folder.resolve("activations"),
            "-o",
            out,
            "--json")) {
      while (child.isAlive()) {
        rss = Math.max(rss, status(child.pid(), "VmHWM:"));
        anonymous = Math.max(anonymous, status(child.pid(), "RssAnon:"));
        Thread.sleep(100);
      }
      lines = child.finish();
    }
    lines.forEach(System.out::println);
    System.out.printf(
        Locale.ROOT, "peak resident %d MB, of it not files %d MB%n", rss >> 10, anonymous >> 10);
    try (SAE sae = SAE.load(saeFolder)) {
      assertEveryRow(out, sae.encodeSparse(tokens));
    }
  }

  /** Kilobytes by the name of /proc, 0 where that does not exist. */
  private static long status(long pid, String name) {
    try {
      return Files.readAllLines(Path.of("/proc", Long.toString(pid), "status")).stream()
          .filter(line -> line.startsWith(name))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
          .findFirst()
          .orElse(0);
    } catch (IOException e) {
      return 0;
    }
  }

  private static void assertEveryRow(Path out, SparseLatents ofTokens) throws IOException {
    JsonNode index = new ObjectMapper().readTree(out.resolve("index.json").toFile());
    long row = 0;
    long entries = 0;
    for (JsonNode entry : index.path("shards")) {
      SparseLatents shard = SparseLatents.load(out.resolve(entry.path("file").asText()));
      assertThat(entry.path("first_row").asLong()).isEqualTo(row);
      for (int begin = 0; begin < shard.rows(); ) {
        int token = (int) (row % TOKENS);
        int count = Math.min(TOKENS - token, shard.rows() - begin);
        SparseLatents part = shard.rows(begin, begin + count);
        SparseLatents expected = ofTokens.rows(token, token + count);
        assertThat(Arrays.equals(part.rowOffsets(), expected.rowOffsets())).isTrue();
        assertThat(Arrays.equals(part.latents(), expected.latents())).isTrue();
        assertThat(Arrays.equals(part.activations(), expected.activations())).isTrue();
        row += count;
        begin += count;
      }
      entries += shard.activeCount();
    }
    assertThat(row).isEqualTo((long) FILES * ROWS_PER_FILE);
    assertThat(index.path("rows").asLong()).isEqualTo(row);
    assertThat(index.path("entries").asLong()).isEqualTo(entries);
  }

  /** Encodes the same rows from memory and from files in turns, and prints the ratio of times. */
  @Test
  void toFolder_besideEncodeAlone_costsLittle() throws IOException {
    Path saeFolder = synthetic.write(folder.resolve("sae"));
    float[] tokens = synthetic.tokens(0, TOKENS);
    writeActivations(folder.resolve("in"), tokens, 1, TOKENS);
    ActivationSource source = ActivationSource.open(List.of(folder.resolve("in")));
    EncodeOptions options = EncodeOptions.defaults().batchRows(BATCH_ROWS).restart(true);
    List<Double> wall = new ArrayList<>();
    List<Double> processor = new ArrayList<>();
    try (SAE sae = SAE.load(saeFolder)) {
      for (int round = 0; round < ROUNDS; round++) {
        long startProcessor = processorNanos();
        long start = System.nanoTime();
        long entries = 0;
        for (int row = 0; row < TOKENS; row += BATCH_ROWS) {
          FloatBuffer rows = FloatBuffer.wrap(tokens, row * D_IN, BATCH_ROWS * D_IN);
          entries += sae.encodeSparse(rows, BATCH_ROWS).activeCount();
        }
        long middle = System.nanoTime();
        long middleProcessor = processorNanos();
        EncodeResult run = EncodeRun.toFolder(sae, source, folder.resolve("out"), options);
        long end = System.nanoTime();
        assertThat(run.entries()).isEqualTo(entries);
        wall.add((double) (end - middle) / (middle - start));
        processor.add(
            (double) (processorNanos() - middleProcessor) / (middleProcessor - startProcessor));
        System.out.printf(
            Locale.ROOT,
            "encode alone %.0f rows/s, the run %.0f rows/s: %.3f of the time, %.3f of the processor%n",
            TOKENS * 1e9 / (middle - start),
            TOKENS * 1e9 / (end - middle),
            wall.get(round),
            processor.get(round));
      }
    }
    System.out.printf(
        Locale.ROOT,
        "medians %.3f of the time, %.3f of the processor%n",
        median(wall),
        median(processor));
  }

  private static double median(List<Double> ratios) {
    return ratios.stream().sorted().toList().get(ROUNDS / 2);
  }

  /** Processor time of all threads; other programs on the machine disturb it less than a clock. */
  private static long processorNanos() {
    return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getProcessCpuTime();
  }
}
