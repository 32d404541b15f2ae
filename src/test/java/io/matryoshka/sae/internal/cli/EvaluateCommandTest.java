package io.matryoshka.sae.internal.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvaluateCommandTest {

  private static final String DEMO = "all-minilm-l6-v2-matryoshka-demo";

  @TempDir private Path folder;

  @Test
  void evaluate_demoWithoutInput_printsTheFiguresOfTheRelease() {
    Cli.Result result = Cli.run("evaluate", DEMO);
    assertThat(result.code()).isZero();
    assertThat(result.err()).isEmpty();
    assertThat(result.out())
        .contains("512 rows counted")
        .containsPattern(" 32 +0\\.2207 ")
        .containsPattern("2048 +0\\.7389 .* 32\\.60 ")
        .contains("published explained variance 0.7320, measured 0.7389");
  }

  @Test
  void evaluate_files_areWritten() throws IOException {
    Path html = folder.resolve("report.html");
    Path csv = folder.resolve("widths.csv");
    Path latents = folder.resolve("latents.csv");
    Cli.Result result =
        Cli.run("evaluate", DEMO, "--json", "--html", html, "--csv", csv, "--latents-csv", latents);
    assertThat(result.json().at("/widths/3/width").asInt()).isEqualTo(2048);
    assertThat(html).content().startsWith("<!DOCTYPE html>").contains("L0 histogram");
    assertThat(csv).content().hasLineCount(5);
    assertThat(latents).content().hasLineCount(2049);
  }

  @Test
  void evaluate_inputMaskBatchCheckpoint_areUsed() throws IOException {
    Path input = folder.resolve("x.safetensors");
    Path mask = folder.resolve("mask.safetensors");
    write(input, mask);
    Path checkpoint = folder.resolve("state.json");
    Object[] command = {
      "evaluate",
      DEMO,
      "-i",
      input,
      "--mask",
      mask,
      "--batch",
      8,
      "--checkpoint",
      checkpoint,
      "--json"
    };
    JsonNode first = Cli.run(command).json();
    assertThat(first.get("rows").asInt()).isEqualTo(15);
    assertThat(first.get("masked_rows").asInt()).isEqualTo(5);
    assertThat(first.get("batch_rows").asInt()).isEqualTo(8);
    assertThat(checkpoint).exists();
    assertThat(Cli.run(command).json()).isEqualTo(first);
    Object[] changed = command.clone();
    changed[7] = 9;
    Cli.Result refused = Cli.run(changed);
    assertThat(refused.code()).isEqualTo(4);
    assertThat(refused.err()).contains("batch_rows was 8, now it is 9").hasLineCount(1);
    JsonNode top = Cli.run("evaluate", DEMO, "-i", input, "--top-k", 3, "--json").json();
    assertThat(top.at("/widths/3/sparsity/l0").asDouble()).isEqualTo(3);
  }

  @Test
  void evaluate_otherReleaseWithoutInput_isUsage() {
    Cli.Result result =
        Cli.run("evaluate", "gemma-2-2b-res-matryoshka-dc", "blocks.5.hook_resid_post");
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err()).contains("expected activations with --input");
  }

  @Test
  void evaluate_missingInput_isNotFound() {
    Cli.Result result = Cli.run("evaluate", DEMO, "-i", folder.resolve("none.npy"));
    assertThat(result.code()).isEqualTo(3);
    assertThat(result.err()).contains("none.npy");
  }

  private static void write(Path input, Path mask) throws IOException {
    float[] x = Arrays.copyOf(DemoData.load().activations(), 20 * 384);
    try (SafetensorsWriter writer =
        SafetensorsWriter.builder().tensor("x", Dtype.F32, 20, 384).create(input)) {
      writer.writeFloats("x", x);
      writer.finish();
    }
    // Rows 0 to 4 do not count; the values are the attention mask of a left-padded batch.
    byte[] header =
        "{\"mask\":{\"dtype\":\"BOOL\",\"shape\":[4,5],\"data_offsets\":[0,20]}}"
            .getBytes(java.nio.charset.StandardCharsets.US_ASCII);
    byte[] file = new byte[8 + header.length + 20];
    file[0] = (byte) header.length;
    System.arraycopy(header, 0, file, 8, header.length);
    Arrays.fill(file, 8 + header.length + 5, file.length, (byte) 1);
    Files.write(mask, file);
  }
}
