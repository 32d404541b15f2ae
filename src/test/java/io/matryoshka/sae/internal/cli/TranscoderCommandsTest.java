package io.matryoshka.sae.internal.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.lm.Intervention;
import io.matryoshka.sae.npy.NpyFile;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Objects;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Commands with a transcoder, which writes another width and place than it reads. */
class TranscoderCommandsTest {

  @TempDir private Path folder;

  private static Path fixture(String name) {
    try {
      return Path.of(
          Objects.requireNonNull(TranscoderCommandsTest.class.getResource("/formats/" + name))
              .toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private static float[] expected(String name, String tensor) throws IOException {
    try (SafetensorsFile file =
        SafetensorsFile.open(fixture(name).resolve("expected.safetensors"))) {
      return file.readFloats(tensor);
    }
  }

  private Cli.Result encodeAndDecode(String name, Path target) {
    Path latents = folder.resolve("latents.safetensors");
    String sae = fixture(name).resolve("sae").toString();
    String input = fixture(name).resolve("expected.safetensors").toString();
    Cli.Result encoded =
        Cli.run("encode", "--dir", sae, "-i", input, "--tensor", "x", "-o", latents.toString());
    assertThat(encoded.code()).as(encoded.err()).isZero();
    return Cli.run("decode", "--dir", sae, "-i", latents.toString(), "-o", target.toString());
  }

  @Test
  void decode_otherWidthThanTheInput_givesTheOutput() throws IOException {
    String name = "saelens-jumprelu-transcoder";
    Path target = folder.resolve("out.npy");
    Cli.Result result = encodeAndDecode(name, target);
    assertThat(result.code()).as(result.err()).isZero();
    float[] expected = expected(name, "reconstruction");
    try (NpyFile file = NpyFile.open(target)) {
      float[] decoded = new float[expected.length];
      file.readFloats(0, decoded, 0, decoded.length);
      for (int i = 0; i < expected.length; i++) {
        assertThat(decoded[i]).isCloseTo(expected[i], Offset.offset(1e-5f));
      }
    }
  }

  @Test
  void decode_skipConnection_isSaidToBeMissing() {
    Cli.Result result =
        encodeAndDecode("gemma-scope-2-transcoder-affine", folder.resolve("out.npy"));
    assertThat(result.code()).as(result.err()).isZero();
    assertThat(result.err()).contains("the skip connection of this transcoder is not in");
  }

  @Test
  void explore_transcoder_describesItsLatents() {
    Path fixture = fixture("saelens-jumprelu-transcoder");
    Cli.Result result =
        Cli.run(
            "explore",
            "--dir",
            fixture.resolve("sae").toString(),
            "-i",
            fixture.resolve("expected.safetensors").toString(),
            "--tensor",
            "x",
            "--latent",
            "1");
    assertThat(result.code()).as(result.err()).isZero();
  }

  @Test
  void interventions_transcoder_areRefusedByName() throws IOException {
    try (SAE transcoder = SAE.load(fixture("gemma-scope-2-transcoder-affine").resolve("sae"))) {
      assertThatThrownBy(() -> Intervention.splice(transcoder))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("is a transcoder");
      assertThatThrownBy(() -> Intervention.steer(transcoder, 1, 2f))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("is a transcoder");
    }
  }
}
