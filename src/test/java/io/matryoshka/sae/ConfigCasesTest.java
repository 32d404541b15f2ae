package io.matryoshka.sae;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.registry.ReleaseRegistry;
import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Everything that cfg.json can say, against values that config/generate.py computed in float64 from
 * SAELens' formulas. No pre-activation of a case lies within 1e-3 of its limit, so the active set
 * must be the same.
 */
class ConfigCasesTest {

  private static final int D_IN = 8;
  private static final int D_SAE = 24;
  private static final int ROWS = 10;
  private static final List<Integer> WIDTHS = List.of(5, 12, D_SAE);

  /** Relative to the largest value of the tensor: float32 arithmetic over 8 and 24 terms. */
  private static final double FLOAT_TOLERANCE = 2e-6;

  private static final double DOUBLE_TOLERANCE = 1e-13;

  static Stream<Arguments> cases() throws IOException {
    try (Stream<Path> folders = Files.list(DemoData.path("/config/cases"))) {
      List<String> names = folders.map(f -> f.getFileName().toString()).sorted().toList();
      assertThat(names).hasSizeGreaterThan(30);
      return names.stream()
          .flatMap(
              name -> Arrays.stream(LoadOptions.Engine.values()).map(e -> Arguments.of(name, e)));
    }
  }

  private static SAE load(String name, LoadOptions options) throws IOException {
    if (name.equals("normalize-factor-of-the-registry")) {
      ReleaseRegistry registry = ReleaseRegistry.load(DemoData.path("/config/registry.json"));
      return SAE.fromPretrained("config-cases", "factor", options.registry(registry));
    }
    return SAE.load(DemoData.path("/config/cases/" + name), options);
  }

  private static double[] expected(String name, String tensor) throws IOException {
    Path path = DemoData.path("/config/cases/" + name + "/expected.safetensors");
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      return file.readDoubles(tensor);
    }
  }

  private static float[] input(String name) throws IOException {
    double[] wide = expected(name, "x");
    float[] x = new float[wide.length];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) wide[i];
    }
    return x;
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("cases")
  void encodeAndDecode_case_areTheFormulas(String name, LoadOptions.Engine engine)
      throws IOException {
    float[] x = input(name);
    try (SAE sae = load(name, LoadOptions.defaults().engine(engine).widths(WIDTHS))) {
      assertThat(sae.widths()).isEqualTo(WIDTHS);
      for (int width : WIDTHS) {
        try (SAE view = sae.prefix(width)) {
          assertCase(view, x, name, width);
        }
      }
      assertCase(sae, x, name, D_SAE);
    }
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("cases")
  void load_prefixOfCase_isTheSame(String name, LoadOptions.Engine engine) throws IOException {
    try (SAE sae = load(name, LoadOptions.defaults().engine(engine).prefix(12))) {
      assertCase(sae, input(name), name, 12);
    }
  }

  private static void assertCase(SAE sae, float[] x, String name, int width) throws IOException {
    double[] latents = expected(name, "latents_" + width);
    double[] reconstruction = expected(name, "reconstruction_" + width);
    boolean wide = sae.config().dtype() == Dtype.F64;
    double dense = wide && !name.contains("topk") ? DOUBLE_TOLERANCE : FLOAT_TOLERANCE;

    SparseLatents sparse = sae.encodeSparse(x);
    assertThat(sparse.rows()).isEqualTo(ROWS);
    assertClose(scattered(sparse), latents, FLOAT_TOLERANCE);
    assertClose(widened(sae.decode(sparse)), reconstruction, FLOAT_TOLERANCE);

    try (NDManager manager = NDManager.newBaseManager(Device.cpu())) {
      NDArray rows = manager.create(x, new Shape(ROWS, D_IN));
      NDArray f = sae.encode(rows);
      assertThat(f.getDataType()).isEqualTo(wide ? DataType.FLOAT64 : DataType.FLOAT32);
      assertClose(doubles(f), latents, dense);
      assertClose(doubles(sae.decode(f)), reconstruction, dense);
      assertClose(doubles(sae.forward(rows)), reconstruction, FLOAT_TOLERANCE);
      NDArray[] nested = sae.reconstructions(rows);
      assertClose(doubles(nested[nested.length - 1]), reconstruction, FLOAT_TOLERANCE);
      assertClose(doubles(rows.sub(sae.errorTerm(rows))), reconstruction, 2 * FLOAT_TOLERANCE);
      assertThat(sae.forward(rows, f0 -> f0).toType(DataType.FLOAT32, false).toFloatArray())
          .as("with no edit the output is the input")
          .isEqualTo(x);
    }
  }

  @Test
  void encode_hookZ_takesHeadsAndGivesThemBack() throws IOException {
    for (String name : List.of("hook-z", "old-hook-z")) {
      float[] x = input(name);
      try (SAE sae = load(name, LoadOptions.defaults());
          NDManager manager = NDManager.newBaseManager(Device.cpu())) {
        NDArray heads = manager.create(x, new Shape(2, 5, 2, 4));
        NDArray f = sae.encode(heads);
        assertThat(f.getShape()).isEqualTo(new Shape(2, 5, D_SAE));
        assertClose(doubles(f), expected(name, "latents_24"), FLOAT_TOLERANCE);
        double[] reconstruction = expected(name, "reconstruction_24");
        for (NDArray out :
            List.of(
                sae.decode(f),
                sae.forward(heads),
                sae.decode(sae.encodeSparse(heads), manager),
                sae.reconstructions(heads)[0],
                heads.sub(sae.errorTerm(heads)))) {
          assertThat(out.getShape()).isEqualTo(heads.getShape());
          assertClose(doubles(out), reconstruction, 2 * FLOAT_TOLERANCE);
        }
        NDArray steered = sae.steer(heads, 3, 2f);
        assertThat(steered.getShape()).isEqualTo(heads.getShape());
      }
    }
  }

  @Test
  void load_dtypeOption_winsOverTheFile() throws IOException {
    LoadOptions half = LoadOptions.defaults().dtype(Dtype.F16);
    try (SAE sae = load("dtype-torch-float64", half);
        SAE same = load("dtype-torch-float64", LoadOptions.defaults().dtype(Dtype.BF16))) {
      assertThat(sae.config().dtype()).isEqualTo(Dtype.F16);
      assertThat(sae.decoderBias()).isNotEqualTo(same.decoderBias());
    }
    // The same weights as those that the generator rounded to float16.
    try (SAE rounded = load("dtype-torch-float32", half);
        SAE full = load("dtype-torch-float32", LoadOptions.defaults())) {
      for (int i = 0; i < D_IN; i++) {
        float value = full.decoderBias()[i];
        assertThat(rounded.decoderBias()[i])
            .isCloseTo(value, Offset.offset(Math.abs(value) / 2048));
      }
      assertThat(rounded.decoderBias()).isNotEqualTo(full.decoderBias());
    }
  }

  private static double[] scattered(SparseLatents sparse) {
    double[] dense = new double[sparse.rows() * sparse.width()];
    for (int row = 0; row < sparse.rows(); row++) {
      int base = row * sparse.width();
      sparse.forEach(row, (latent, activation) -> dense[base + latent] = activation);
    }
    return dense;
  }

  private static double[] doubles(NDArray array) {
    return array.getDataType() == DataType.FLOAT64
        ? array.toDoubleArray()
        : widened(array.toFloatArray());
  }

  private static double[] widened(float[] values) {
    double[] wide = new double[values.length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = values[i];
    }
    return wide;
  }

  private static void assertClose(double[] actual, double[] expected, double tolerance) {
    assertThat(actual).hasSameSizeAs(expected);
    double largest = Arrays.stream(expected).map(Math::abs).max().orElseThrow();
    for (int i = 0; i < expected.length; i++) {
      if (expected[i] == 0) {
        assertThat(actual[i]).as("element %d", i).isZero();
      }
      assertThat(actual[i])
          .as("element %d", i)
          .isBetween(expected[i] - tolerance * largest, expected[i] + tolerance * largest);
    }
  }
}
