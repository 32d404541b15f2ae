package io.matryoshka.sae;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Small SAEs in the formats in which SAEs are published, against values in float64 of NumPy; see
 * {@code src/test/resources/formats/make.py}. Latents and reconstructions agree on both engines
 * within 1e-5, where all terms are around 1; in the folder with long decoder rows, within 1e-5 of
 * the largest term, as float32 rounds each term in proportion to its size.
 */
class PublishedFormatsTest {

  private static final Path FORMATS = Path.of("src/test/resources/formats");
  private static final float TOLERANCE = 1e-5f;

  /** What expected.json calls the architecture, where it is not the name of SAELens. */
  private static final Map<String, String> ARCHITECTURES =
      Map.of("jumprelu transcoder with affine skip", "jumprelu_skip_transcoder");

  static Stream<Arguments> foldersAndEngines() throws IOException {
    List<Arguments> cases = new ArrayList<>();
    try (Stream<Path> folders = Files.list(FORMATS)) {
      for (Path folder : folders.filter(Files::isDirectory).sorted().toList()) {
        for (LoadOptions.Engine engine : LoadOptions.Engine.values()) {
          cases.add(Arguments.of(folder.getFileName().toString(), engine));
        }
      }
    }
    assertThat(cases).hasSize(18);
    return cases.stream();
  }

  private static SAE load(String folder, LoadOptions options) throws IOException {
    return SAE.load(FORMATS.resolve(folder).resolve("sae"), options.preparedCache(false));
  }

  private static SafetensorsFile expected(String folder) throws IOException {
    return SafetensorsFile.open(FORMATS.resolve(folder).resolve("expected.safetensors"));
  }

  private static void assertClose(float[] found, float[] expected, String what) {
    assertClose(found, expected, 1, what);
  }

  private static void assertClose(float[] found, float[] expected, float size, String what) {
    assertThat(found).as(what).hasSameSizeAs(expected);
    for (int i = 0; i < found.length; i++) {
      assertThat(found[i]).as("%s %d", what, i).isCloseTo(expected[i], within(TOLERANCE * size));
    }
  }

  /** The largest latent where that is far from 1, else 1. */
  private static float size(SafetensorsFile expected) throws IOException {
    float largest = 0;
    for (float latent : expected.readFloats("latents")) {
      largest = Math.max(largest, latent);
    }
    return largest < 10 ? 1 : largest;
  }

  private static NDArray input(SafetensorsFile expected, SAE sae, NDManager manager)
      throws IOException {
    float[] x = expected.readFloats("x");
    return manager.create(x, new Shape(x.length / sae.dIn(), sae.dIn()));
  }

  @ParameterizedTest
  @MethodSource("foldersAndEngines")
  void folder_givesItsLatentsAndReconstructions(String folder, LoadOptions.Engine engine)
      throws IOException {
    try (SAE sae = load(folder, LoadOptions.defaults().engine(engine));
        SafetensorsFile expected = expected(folder);
        NDManager manager = NDManager.newBaseManager()) {
      NDArray x = input(expected, sae, manager);
      float size = size(expected);
      float[] active = expected.readFloats("latents");
      assertClose(sae.encode(x).toFloatArray(), active, size, "latents");
      SparseLatents latents = sae.encodeSparse(x);
      assertClose(latents.toDense(manager).toFloatArray(), active, size, "sparse");
      float[] reconstruction = expected.readFloats("reconstruction");
      assertClose(sae.forward(x).toFloatArray(), reconstruction, size, "forward");
      String decoded =
          expected.names().contains("decoded_without_skip")
              ? "decoded_without_skip"
              : "reconstruction";
      assertClose(sae.decode(latents), expected.readFloats(decoded), size, "decode");
      NDArray dense = sae.decode(sae.encode(x));
      assertThat(dense.getShape().getLastDimension()).isEqualTo(sae.dOut());
      assertClose(dense.toFloatArray(), expected.readFloats(decoded), size, "decode dense");
      NDArray[] nested = sae.reconstructions(x);
      assertClose(
          nested[nested.length - 1].toFloatArray(), reconstruction, size, "reconstructions");
    }
  }

  @ParameterizedTest
  @MethodSource("foldersAndEngines")
  void folder_givesItsPrefixReconstructions(String folder, LoadOptions.Engine engine)
      throws IOException {
    try (SAE sae = load(folder, LoadOptions.defaults().engine(engine));
        SafetensorsFile expected = expected(folder);
        NDManager manager = NDManager.newBaseManager()) {
      NDArray x = input(expected, sae, manager);
      NDArray[] nested = sae.reconstructions(x);
      for (int level = 0; level < sae.widths().size(); level++) {
        int width = sae.widths().get(level);
        String name = "reconstruction_w" + width;
        if (expected.names().contains(name)) {
          float[] values = expected.readFloats(name);
          assertClose(nested[level].toFloatArray(), values, name);
          try (SAE prefix = sae.prefix(width)) {
            assertClose(prefix.forward(x).toFloatArray(), values, name);
          }
        }
      }
      // Any prefix view decodes the first latents, with the skip connection of the whole.
      int width = sae.dSae() / 3;
      try (SAE prefix = sae.prefix(width)) {
        SparseLatents first = sae.encodeSparse(x).range(0, width);
        NDArray rest = sae.forward(x).sub(sae.decode(sae.encodeSparse(x), manager));
        assertClose(
            prefix.forward(x).toFloatArray(),
            sae.decode(first, manager).add(rest).toFloatArray(),
            "prefix");
      }
    }
  }

  @ParameterizedTest
  @MethodSource("foldersAndEngines")
  void folder_saysWhatItIs(String folder, LoadOptions.Engine engine) throws IOException {
    JsonNode says =
        new ObjectMapper().readTree(FORMATS.resolve(folder).resolve("expected.json").toFile());
    try (SAE sae = load(folder, LoadOptions.defaults().engine(engine))) {
      assertThat(sae.dIn()).isEqualTo(says.get("d_in").intValue());
      assertThat(sae.dOut()).isEqualTo(says.get("d_out").intValue());
      assertThat(sae.dSae()).isEqualTo(says.get("d_sae").intValue());
      List<Integer> widths = new ArrayList<>();
      says.get("widths").forEach(width -> widths.add(width.intValue()));
      assertThat(sae.widths()).isEqualTo(widths);
      String architecture = says.get("architecture").textValue();
      assertThat(sae.config().architecture().key())
          .isEqualTo(ARCHITECTURES.getOrDefault(architecture, architecture));
      if (says.has("hook_point")) {
        assertThat(sae.hookPoint()).contains(says.get("hook_point").textValue());
      }
      if (says.has("hook_point_out")) {
        assertThat(sae.hookPointOut()).contains(says.get("hook_point_out").textValue());
      }
      if (says.has("model")) {
        assertThat(sae.config().modelName()).contains(says.get("model").textValue());
      }
      if (says.has("apply_b_dec_to_input")) {
        assertThat(sae.config().applyBDecToInput())
            .isEqualTo(says.get("apply_b_dec_to_input").booleanValue());
      }
    }
  }

  @ParameterizedTest
  @MethodSource("foldersAndEngines")
  void folding_keepsReconstructionsAndScalesLatents(String folder, LoadOptions.Engine engine)
      throws IOException {
    try (SAE plain = load(folder, LoadOptions.defaults().engine(engine));
        SAE folded = load(folder, LoadOptions.defaults().engine(engine).foldDecoderNorms(true));
        SafetensorsFile expected = expected(folder);
        NDManager manager = NDManager.newBaseManager()) {
      NDArray x = input(expected, plain, manager);
      float size = size(expected);
      assertClose(
          folded.forward(x).toFloatArray(), expected.readFloats("reconstruction"), size, "forward");
      if (expected.names().contains("latents_folded")) {
        float[] latents = expected.readFloats("latents_folded");
        assertClose(folded.encode(x).toFloatArray(), latents, size, "folded");
        assertClose(
            folded.encodeSparse(x).toDense(manager).toFloatArray(),
            latents,
            size,
            "folded, sparse");
      }
      float[] rows = folded.decoderRows(0, folded.dSae());
      for (int latent = 0; latent < folded.dSae(); latent++) {
        double norm = 0;
        for (int d = 0; d < folded.dOut(); d++) {
          norm += Math.pow(rows[latent * folded.dOut() + d], 2);
        }
        assertThat(Math.min(1 - norm, norm)).isCloseTo(0, within(1e-5));
      }
    }
  }

  @Test
  void transcoder_addsEditsToItsOutput() throws IOException {
    try (SAE sae = load("gemma-scope-2-transcoder-affine", LoadOptions.defaults());
        SafetensorsFile expected = expected("gemma-scope-2-transcoder-affine");
        NDManager manager = NDManager.newBaseManager()) {
      NDArray x = input(expected, sae, manager);
      float[] output = expected.readFloats("reconstruction");
      assertClose(sae.forward(x, f -> f).toFloatArray(), output, "no edit");
      NDArray y = manager.ones(new Shape(x.getShape().get(0), sae.dOut()));
      assertClose(
          sae.errorTerm(x, y).toFloatArray(),
          y.sub(sae.forward(x)).toFloatArray(),
          "error of the output");
      assertThatThrownBy(() -> sae.errorTerm(x))
          .isInstanceOf(UnsupportedOperationException.class)
          .hasMessageContaining("errorTerm(x, y)");
      assertThatThrownBy(() -> sae.steer(x, 0, 1))
          .isInstanceOf(UnsupportedOperationException.class);
      assertThat(sae.toString()).contains("d_out=24", "post_feedforward_layernorm");
    }
  }
}
