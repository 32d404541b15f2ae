package io.matryoshka.sae.internal.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.Selection;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.npy.NpyWriter;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EncodeCommandTest {

  private static final int ROWS = 512;

  @TempDir private Path folder;

  private static SparseLatents expected(int width, Selection selection) throws IOException {
    try (SAE sae = SAE.load(Samples.SAE_FOLDER);
        SAE prefix = sae.prefix(width);
        SafetensorsFile file = SafetensorsFile.open(Samples.ACTIVATIONS)) {
      return prefix.encodeSparse(FloatBuffer.wrap(file.readFloats("activations")), ROWS, selection);
    }
  }

  private static void assertSame(SparseLatents actual, SparseLatents expected) {
    assertThat(actual.rowOffsets()).isEqualTo(expected.rowOffsets());
    assertThat(actual.latents()).isEqualTo(expected.latents());
    assertThat(actual.activations()).isEqualTo(expected.activations());
  }

  @Test
  void encode_toAFile_holdsTheLatents() throws IOException {
    Path target = folder.resolve("out.safetensors");
    Cli.Result result = Cli.run("encode", Samples.RELEASE, "-i", Samples.ACTIVATIONS, "-o", target);
    assertThat(result.err()).isEmpty();
    assertThat(result.code()).isZero();
    assertThat(result.out()).contains("out.safetensors", "512 rows", "mean L0");
    assertSame(SparseLatents.load(target), expected(2048, Selection.threshold()));
  }

  @Test
  void encode_topKOfAPrefix_holdsItsLatents() throws IOException {
    Path target = folder.resolve("out.safetensors");
    Cli.Result result =
        Cli.run(
            "encode",
            "--dir",
            Samples.SAE_FOLDER,
            "--prefix",
            128,
            "--top-k",
            4,
            "--tensor",
            "activations",
            "-i",
            Samples.ACTIVATIONS,
            "-o",
            target,
            "--json");
    assertThat(result.err()).isEmpty();
    SparseLatents expected = expected(128, Selection.topK(4));
    assertSame(SparseLatents.load(target), expected);
    assertThat(result.json().path("rows").asInt()).isEqualTo(ROWS);
    assertThat(result.json().path("entries").asInt()).isEqualTo(expected.activeCount());
    assertThat(result.json().path("mean_l0").asDouble())
        .isEqualTo((double) expected.activeCount() / ROWS);
    assertThat(result.json().path("rows_per_second").asDouble()).isPositive();
  }

  @Test
  void encode_toAFolder_resumesAndRestarts() throws IOException {
    Path target = folder.resolve("run");
    Object[] command = {
      "encode",
      Samples.RELEASE,
      Samples.SAE_ID,
      "-i",
      Samples.ACTIVATIONS,
      "-o",
      target,
      "--rows-per-shard",
      200,
      "--batch-top-k",
      7,
      "--batch",
      512,
      "--json"
    };
    Cli.Result result = Cli.run(command);
    assertThat(result.err()).isEmpty();
    assertThat(result.json().path("shards").asInt()).isEqualTo(3);
    assertThat(result.json().path("resumed_rows").asInt()).isZero();
    SparseLatents last = SparseLatents.load(target.resolve("latents-00002-of-00003.safetensors"));
    assertSame(last, expected(2048, Selection.batchTopK(7)).rows(400, 512));
    JsonNode index = new ObjectMapper().readTree(target.resolve("index.json").toFile());
    assertThat(index.path("sae_name").asText()).isEqualTo(Samples.RELEASE + " " + Samples.SAE_ID);
    assertThat(index.path("settings").path("batch_rows").asInt()).isEqualTo(512);

    assertThat(Cli.run(command).json().path("resumed_rows").asInt()).isEqualTo(ROWS);

    Cli.Result other = Cli.run("encode", Samples.RELEASE, "-i", Samples.ACTIVATIONS, "-o", target);
    assertThat(other.code()).isEqualTo(ExitCode.IO.code());
    assertThat(other.err()).contains("selection was \"batchTopK(7)\"", "--restart");
    Cli.Result restarted =
        Cli.run("encode", Samples.RELEASE, "-i", Samples.ACTIVATIONS, "-o", target, "--restart");
    assertThat(restarted.code()).isZero();
    assertThat(target.resolve("latents-00000-of-00001.safetensors")).exists();
    assertThat(target.resolve("latents-00002-of-00003.safetensors")).doesNotExist();
  }

  @Test
  void encode_rowsNotFinite_stopOrAreSkipped() throws IOException {
    Path input = folder.resolve("nan.npy");
    float[] rows = new float[3 * 384];
    rows[384] = Float.NaN;
    try (NpyWriter writer = NpyWriter.create(input, 3, 384)) {
      writer.write(rows, 0, rows.length);
      writer.finish();
    }
    Path target = folder.resolve("out.safetensors");
    Cli.Result stopped = Cli.run("encode", Samples.RELEASE, "-i", input, "-o", target);
    assertThat(stopped.code()).isEqualTo(ExitCode.BAD_FILE.code());
    assertThat(stopped.err()).contains("nan.npy, row 1", "--skip-non-finite");
    assertThat(Files.exists(target)).isFalse();
    Cli.Result skipped =
        Cli.run("encode", Samples.RELEASE, "-i", input, "-o", target, "--skip-non-finite");
    assertThat(skipped.code()).isZero();
    assertThat(skipped.out())
        .contains("3 rows", "1 row was not finite and is stored without latents");
  }

  @Test
  void encode_contradictions_areRefused() {
    Path target = folder.resolve("out.safetensors");
    Cli.Result both =
        Cli.run(
            "encode",
            Samples.RELEASE,
            "-i",
            Samples.ACTIVATIONS,
            "-o",
            target,
            "--top-k",
            1,
            "--batch-top-k",
            1);
    assertThat(both.code()).isEqualTo(ExitCode.USAGE.code());
    assertThat(both.err()).contains("--top-k", "--batch-top-k");
    Cli.Result zero =
        Cli.run("encode", Samples.RELEASE, "-i", Samples.ACTIVATIONS, "-o", target, "--batch", 0);
    assertThat(zero.code()).isEqualTo(ExitCode.USAGE.code());
    assertThat(zero.err()).contains("batch rows must be at least 1, got 0");
  }
}
