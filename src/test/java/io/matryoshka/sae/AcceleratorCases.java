package io.matryoshka.sae;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.LoadOptions.Engine;
import io.matryoshka.sae.NativeMemory.Live;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A whole SAE on the engine of accelerators, which the CPU runs as well, against the plain one. */
abstract class AcceleratorCases {

  private static final List<Selection> SELECTIONS =
      List.of(Selection.threshold(), Selection.topK(3), Selection.batchTopK(4));

  /** Loads with the engine of accelerators on the device. */
  abstract LoadOptions accelerator();

  Device device() {
    return Device.cpu();
  }

  private LoadOptions reference() {
    return LoadOptions.defaults().engine(Engine.REFERENCE).device(device());
  }

  private static float[] rows() throws IOException {
    return Arrays.copyOf(DemoData.activations(), 40 * DemoData.D_IN);
  }

  private static void assertSame(SparseLatents actual, SparseLatents expected) {
    assertThat(actual.rowOffsets()).isEqualTo(expected.rowOffsets());
    assertThat(actual.latents()).isEqualTo(expected.latents());
    DemoReferenceTest.assertClose(actual.activations(), expected.activations());
    assertThat(actual.leadingShape()).isEqualTo(expected.leadingShape());
    assertThat(actual.width()).isEqualTo(expected.width());
  }

  private static void assertClose(NDArray actual, NDArray expected) {
    assertThat(actual.getShape()).isEqualTo(expected.getShape());
    assertThat(actual.getDataType()).isEqualTo(expected.getDataType());
    DemoReferenceTest.assertClose(
        actual.toType(DataType.FLOAT32, false).toFloatArray(),
        expected.toType(DataType.FLOAT32, false).toFloatArray());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 32, 100, 512, 2047, 2048})
  void calls_demo_areThoseOfTheReference(int width) throws IOException {
    try (SAE fast = DemoData.sae(accelerator()).prefix(width);
        SAE plain = DemoData.sae(reference()).prefix(width);
        NDManager manager = NDManager.newBaseManager(device())) {
      NDArray x = manager.create(rows(), new Shape(4, 10, DemoData.D_IN));
      for (Selection selection : SELECTIONS) {
        assertSame(fast.encodeSparse(x, selection), plain.encodeSparse(x, selection));
        assertSame(fast.encodeOnDevice(x, selection).toHost(), plain.encodeSparse(x, selection));
      }
      assertClose(fast.encode(x), plain.encode(x));
      assertClose(fast.forward(x), plain.forward(x));
      assertClose(fast.forward(x, f -> f.zero(0)), plain.forward(x, f -> f.zero(0)));
      assertClose(x.sub(fast.errorTerm(x)), plain.forward(x));
      NDArray[] nested = fast.reconstructions(x);
      NDArray[] expected = plain.reconstructions(x);
      assertThat(nested).hasSameSizeAs(expected);
      for (int level = 0; level < nested.length; level++) {
        assertClose(nested[level], expected[level]);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "jumprelu",
        "jumprelu-negative-thresholds",
        "normalize-layer-norm",
        "normalize-layer-norm-topk",
        "normalize-constant-norm-rescale",
        "normalize-factor-of-the-registry",
        "topk-rescaled",
        "topk-more-than-there-are",
        "standard",
        "hook-z",
        "dtype-bfloat16",
        "dtype-float64"
      })
  void calls_eachCase_areThoseOfTheReference(String name) throws IOException {
    try (SAE fast = CaseFolder.load(name, accelerator());
        SAE plain = CaseFolder.load(name, reference());
        NDManager manager = NDManager.newBaseManager(device())) {
      NDArray x = manager.randomNormal(new Shape(3, 7, CaseFolder.D_IN));
      assertSame(fast.encodeSparse(x), plain.encodeSparse(x));
      assertClose(fast.encode(x), plain.encode(x));
      assertClose(fast.forward(x), plain.forward(x));
      assertClose(fast.decode(fast.encodeOnDevice(x)), plain.forward(x));
      assertClose(fast.reconstructions(x)[0], plain.reconstructions(x)[0]);
      assertClose(x.sub(fast.errorTerm(x)), plain.forward(x));
      assertThat(fast.encoderRows(0, 3)).isEqualTo(plain.encoderRows(0, 3));
      assertThat(fast.encodeSparse(new float[0]).rows()).isZero();
      assertThat(fast.forward(manager.zeros(new Shape(0, CaseFolder.D_IN))).getShape())
          .isEqualTo(new Shape(0, CaseFolder.D_IN));
    }
  }

  @Test
  void screeningStats_demo_countFewCandidates() throws IOException {
    try (SAE sae = DemoData.sae(accelerator())) {
      SparseLatents latents = sae.encodeSparse(rows());
      long all = 40L * DemoData.D_SAE;
      assertThat(sae.screeningStats().screened()).isEqualTo(all);
      assertThat(sae.screeningStats().active()).isEqualTo(latents.activeCount());
      assertThat(sae.screeningStats().candidates())
          .isBetween((long) latents.activeCount(), all / 32);
      assertThat(sae.screeningStats().fallbackRows()).isZero();
      assertThat(sae.preparedBytes()).isEqualTo(DemoData.D_SAE * (DemoData.D_IN + 12L));
    }
  }

  @Test
  void results_arrays_canBeChangedInPlace() throws IOException {
    try (SAE sae = CaseFolder.load("jumprelu", accelerator());
        NDManager manager = NDManager.newBaseManager(device())) {
      NDArray x = manager.ones(new Shape(3, CaseFolder.D_IN));
      for (NDArray result :
          List.of(sae.encode(x), sae.forward(x), sae.errorTerm(x), sae.reconstructions(x)[0])) {
        float before = result.getFloat(0, 0);
        assertThat(result.addi(1).getFloat(0, 0)).isEqualTo(before + 1);
      }
    }
  }

  @Test
  void load_float64_usesTheReference() throws IOException {
    try (SAE sae = CaseFolder.load("dtype-float64", accelerator())) {
      assertThat(sae.preparedBytes()).isZero();
    }
  }

  @Test
  void calls_eachCase_leaveOnlyTheirResult() throws IOException {
    Map<String, BiFunction<SAE, NDArray, Object>> calls = new LinkedHashMap<>();
    calls.put("encode", SAE::encode);
    calls.put("forward", SAE::forward);
    calls.put("error", SAE::errorTerm);
    calls.put("reconstructions", SAE::reconstructions);
    calls.put("sparse", SAE::encodeSparse);
    calls.put("top-k", (sae, x) -> sae.encodeSparse(x, Selection.topK(3)));
    calls.put("batch top-k", (sae, x) -> sae.encodeSparse(x, Selection.batchTopK(3)));
    for (String name : List.of("jumprelu", "normalize-layer-norm", "topk-rescaled")) {
      try (NDManager manager = NDManager.newBaseManager(device())) {
        Live empty = NativeMemory.live(manager);
        try (SAE sae = CaseFolder.load(name, accelerator())) {
          NDArray x = manager.randomNormal(new Shape(2, 3, CaseFolder.D_IN));
          for (var call : calls.values()) {
            Object unused = call.apply(sae, x); // What is made once is made here.
          }
          calls.forEach(
              (call, function) -> {
                Live before = NativeMemory.live(manager);
                Object result = function.apply(sae, x);
                int arrays = result instanceof SparseLatents ? 0 : 1;
                assertThat(NativeMemory.live(manager))
                    .as("%s of %s", call, name)
                    .isEqualTo(new Live(before.arrays() + arrays, before.managers()));
              });
        }
        assertThat(NativeMemory.live(manager).managers()).isEqualTo(empty.managers());
      }
    }
  }

  @Test
  void calls_thatFail_leaveNothing() throws IOException {
    try (SAE sae = CaseFolder.load("jumprelu", accelerator());
        NDManager manager = NDManager.newBaseManager(device())) {
      NDArray wrong = manager.ones(new Shape(3, CaseFolder.D_IN + 1));
      sae.encode(manager.ones(new Shape(3, CaseFolder.D_IN)));
      Live before = NativeMemory.live(manager);
      assertThatThrownBy(() -> sae.encodeOnDevice(wrong))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> sae.forward(wrong)).isInstanceOf(IllegalArgumentException.class);
      assertThat(NativeMemory.live(manager)).isEqualTo(before);
    }
  }

  /** What two runs of a decoder with the same input may differ in. */
  void assertSameRun(float[] actual, float[] expected) {
    assertThat(actual).isEqualTo(expected);
  }

  @Test
  void forward_manyThreads_givesTheSame() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try (SAE sae = DemoData.sae(accelerator());
        NDManager manager = NDManager.newBaseManager(device())) {
      NDArray x = manager.create(rows(), new Shape(40, DemoData.D_IN));
      float[] expected = sae.forward(x).toFloatArray();
      List<Callable<float[]>> calls = new ArrayList<>();
      for (int i = 0; i < 12; i++) {
        calls.add(
            () -> {
              try (NDArray out = sae.forward(x)) {
                return out.toFloatArray();
              }
            });
      }
      for (Future<float[]> result : threads.invokeAll(calls)) {
        assertSameRun(result.get(), expected);
      }
    } finally {
      threads.shutdownNow();
    }
  }
}
