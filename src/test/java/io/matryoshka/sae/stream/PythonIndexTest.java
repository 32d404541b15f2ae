package io.matryoshka.sae.stream;

import static org.assertj.core.api.Assertions.assertThat;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.SparseLatents;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The reader that docs/data-formats.md gives, run by Python. Needs the path of a Python with NumPy:
 *
 * <pre>{@code mvn test -Ppython -Dtest=PythonIndexTest -Dpython=/usr/bin/python3}</pre>
 */
@Tag("python")
class PythonIndexTest {

  private static final Path DOCS = Path.of("docs", "data-formats.md");
  private static final String LAST_LINE = "    print(";

  @TempDir Path folder;

  /** The five lines, with the last one printing sums that can be compared. */
  private static String reader() throws IOException {
    String docs = Files.readString(DOCS, StandardCharsets.UTF_8);
    int section = docs.indexOf("## A sharded run");
    int begin = docs.indexOf("```python\n", section) + "```python\n".length();
    String code = docs.substring(begin, docs.indexOf("```", begin));
    assertThat(code.lines()).hasSize(5).last().asString().startsWith(LAST_LINE);
    return code.substring(0, code.indexOf(LAST_LINE))
        + LAST_LINE
        + "shard['first_row'], t['row_offsets'].tolist(), int(t['latents'].sum()),"
        + " t['values'].view('i4').sum(dtype='i8'))\n";
  }

  @Test
  void reader_ofTheDocumentation_readsEveryShard() throws Exception {
    try (SAE sae = DemoRows.sae()) {
      ActivationSource source = DemoRows.source(folder.resolve("in"), 300);
      EncodeRun.toFolder(
          sae, source, folder.resolve("out"), EncodeOptions.defaults().rowsPerShard(128));
    }
    Process python =
        new ProcessBuilder(System.getProperty("python", "python3"), "-c", reader())
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .start();
    List<String> lines = python.inputReader(StandardCharsets.UTF_8).lines().toList();
    assertThat(python.waitFor()).as(lines.toString()).isZero();
    assertThat(lines).hasSize(3);
    for (int i = 0; i < 3; i++) {
      SparseLatents shard =
          SparseLatents.load(folder.resolve("out/latents-0000" + i + "-of-00003.safetensors"));
      long latents = 0;
      long bits = 0; // of the values, as NumPy may add floats in another order
      int[] indices = shard.latents();
      float[] values = shard.activations();
      for (int e = 0; e < values.length; e++) {
        latents += indices[e];
        bits += Float.floatToRawIntBits(values[e]);
      }
      assertThat(lines.get(i))
          .isEqualTo(
              128 * i + " " + Arrays.toString(shard.rowOffsets()) + " " + latents + " " + bits);
    }
  }
}
