package io.matryoshka.sae.internal.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.npy.NpyFile;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import io.matryoshka.sae.support.HandSae;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DecodeCommandTest {

  @TempDir private Path folder;
  private Path latents;
  private float[] expected;

  @BeforeEach
  void encode() throws IOException {
    latents = folder.resolve("latents.safetensors");
    try (SAE sae = SAE.load(Samples.SAE_FOLDER);
        SafetensorsFile file = SafetensorsFile.open(Samples.ACTIVATIONS)) {
      SparseLatents encoded = sae.encodeSparse(file.readFloats("activations"));
      encoded.save(latents);
      expected = sae.decode(encoded);
    }
  }

  @Test
  void decode_npy_holdsTheReconstructions() throws IOException {
    Path target = folder.resolve("out.npy");
    Cli.Result result = Cli.run("decode", Samples.RELEASE, "-i", latents, "-o", target);
    assertThat(result.err()).isEmpty();
    assertThat(result.code()).isZero();
    assertThat(result.out()).contains("out.npy", "[512, 384]");
    float[] values = new float[512 * 384];
    try (NpyFile file = NpyFile.open(target)) {
      assertThat(file.shape()).containsExactly(512, 384);
      file.readFloats(0, values, 0, values.length);
    }
    assertThat(values).containsExactly(expected);
  }

  @Test
  void decode_safetensors_holdsTheReconstructions() throws IOException {
    Path target = folder.resolve("out.safetensors");
    Cli.Result result =
        Cli.run("decode", "--dir", Samples.SAE_FOLDER, "-i", latents, "-o", target, "--json");
    assertThat(result.json().get("shape").toString()).isEqualTo("[512,384]");
    try (SafetensorsFile file = SafetensorsFile.open(target)) {
      assertThat(file.info("reconstructions").shape()).containsExactly(512, 384);
      assertThat(file.readFloats("reconstructions")).containsExactly(expected);
    }
  }

  @Test
  void decode_encodeRun_joinsItsShards() throws IOException {
    Path run = folder.resolve("run");
    Object[] encode = {
      "encode", Samples.RELEASE, "-i", Samples.ACTIVATIONS, "-o", run, "--rows-per-shard", 200
    };
    assertThat(Cli.run(encode).code()).isZero();
    Path target = folder.resolve("out.npy");
    assertThat(Cli.run("decode", Samples.RELEASE, "-i", run, "-o", target).code()).isZero();
    float[] values = new float[512 * 384];
    try (NpyFile file = NpyFile.open(target)) {
      file.readFloats(0, values, 0, values.length);
    }
    assertThat(values).containsExactly(expected);
  }

  @Test
  void decode_otherFolder_isNotFound() {
    Path target = folder.resolve("out.npy");
    Cli.Result result = Cli.run("decode", Samples.RELEASE, "-i", folder, "-o", target);
    assertThat(result.code()).isEqualTo(3);
    assertThat(result.err()).contains("index.json", "encode run").hasLineCount(1);
  }

  @Test
  void decode_noRows_givesAnEmptyArray() throws IOException {
    Path none = folder.resolve("none.safetensors");
    SparseLatents.of(new int[] {0}, new int[0], new float[0], 2048).save(none);
    Path target = folder.resolve("none.npy");
    assertThat(Cli.run("decode", Samples.RELEASE, "-i", none, "-o", target).code()).isZero();
    try (NpyFile file = NpyFile.open(target)) {
      assertThat(file.shape()).containsExactly(0, 384);
    }
  }

  @Test
  void decode_unknownFormat_leavesNothing() {
    Path target = folder.resolve("out.csv");
    Cli.Result result = Cli.run("decode", Samples.RELEASE, "-i", latents, "-o", target);
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err()).contains(".npy or .safetensors", "out.csv").hasLineCount(1);
    assertThat(target).doesNotExist();
  }

  @Test
  void decode_missingFolder_isNamed() {
    Path target = folder.resolve("no").resolve("out.npy");
    Cli.Result result = Cli.run("decode", Samples.RELEASE, "-i", latents, "-o", target);
    assertThat(result.code()).isEqualTo(3);
    assertThat(result.err()).contains("no such folder for --output").hasLineCount(1);
  }

  @Test
  void decode_tooWideLatents_areRefused() throws IOException {
    Path target = folder.resolve("out.npy");
    Cli.Result result =
        Cli.run("decode", Samples.RELEASE, "--prefix", 32, "-i", latents, "-o", target);
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err()).contains("width 2048").hasLineCount(1);
    try (var files = Files.list(folder)) {
      assertThat(files).containsExactly(latents);
    }
  }

  @Test
  void decode_otherSafetensors_isABadFile() {
    Cli.Result result =
        Cli.run(
            "decode", Samples.RELEASE, "-i", Samples.ACTIVATIONS, "-o", folder.resolve("o.npy"));
    assertThat(result.code()).isEqualTo(4);
    assertThat(result.err()).contains("activations.safetensors").hasLineCount(1);
  }

  @Test
  void decode_resultBeyondFloat_namesTheRowAndLeavesNothing() throws IOException {
    Path huge = folder.resolve("huge.safetensors");
    float max = Float.MAX_VALUE;
    SparseLatents.of(new int[] {0, 1, 3}, new int[] {0, 0, 1}, new float[] {1, max, max}, 2)
        .save(huge);
    Path sae = folder.resolve("sae");
    HandSae.write(sae, "none", new float[][] {{1, 0}, {1, 1}});
    Path target = folder.resolve("out.npy");
    Cli.Result result = Cli.run("decode", "--dir", sae, "-i", huge, "-o", target);
    assertThat(result.code()).isEqualTo(ExitCode.BAD_FILE.code());
    assertThat(result.err()).contains("row 1: its reconstruction is NaN or infinite");
    assertThat(target).doesNotExist();
  }
}
