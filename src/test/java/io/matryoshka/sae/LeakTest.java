package io.matryoshka.sae;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.LoadOptions.Engine;
import io.matryoshka.sae.NativeMemory.Live;
import io.matryoshka.sae.config.SaeFormatException;
import io.matryoshka.sae.internal.fetch.SaeFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** No call and no failure leaves an array, a manager, a mapping or memory behind. */
class LeakTest {

  private static final int ROUNDS = 60;
  private static final int PERIODS = 3;

  /** A leak of the smallest array of a round, 512 x 384 floats, would come to 45 MiB. */
  private static final long FLAT_MEBIBYTES = 40;

  /** 30 loads that keep their weights and prepared rows would come to 300 MiB. */
  private static final long LOADS_FLAT_MEBIBYTES = 150;

  /** Calls that leave as many arrays with the owner of their input as they return. */
  private static Map<String, BiFunction<SAE, NDArray, Object>> calls() {
    Map<String, BiFunction<SAE, NDArray, Object>> calls = new LinkedHashMap<>();
    calls.put("encode", SAE::encode);
    calls.put("encodeSparse", SAE::encodeSparse);
    calls.put("top-k", (sae, x) -> sae.encodeSparse(x, Selection.topK(3)));
    calls.put("batch top-k", (sae, x) -> sae.encodeSparse(x, Selection.batchTopK(3)));
    calls.put("encode array", (sae, x) -> sae.encodeSparse(x.toFloatArray()));
    calls.put("decode", (sae, x) -> sae.decode(sae.encodeSparse(x), x.getManager()));
    calls.put("decode array", (sae, x) -> sae.decode(sae.encodeSparse(x)));
    calls.put("forward", SAE::forward);
    calls.put("forward edit", (sae, x) -> sae.forward(x, f -> f.zero(1).set(2, 3f)));
    calls.put("steer", (sae, x) -> sae.steer(x, 1, 2f));
    calls.put("error", SAE::errorTerm);
    calls.put("reconstructions", SAE::reconstructions);
    calls.put("rows", (sae, x) -> sae.decoderRows(0, 2).length + sae.encoderRows(0, 2).length);
    calls.put("dense", (sae, x) -> sae.encodeSparse(x).toDense(x.getManager()));
    return calls;
  }

  private static int arraysIn(Object result) {
    return result instanceof NDArray[] many ? many.length : result instanceof NDArray ? 1 : 0;
  }

  @Test
  void live_arrayThatIsNotClosed_isCounted() {
    try (NDManager manager = NDManager.newBaseManager(Device.cpu())) {
      Live before = NativeMemory.live(manager);
      try (NDManager child = manager.newSubManager();
          NDArray array = child.create(1f)) {
        array.add(1);
        assertThat(NativeMemory.live(manager))
            .isEqualTo(new Live(before.arrays() + 2, before.managers() + 1));
      }
      assertThat(NativeMemory.live(manager)).isEqualTo(before);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "jumprelu, FAST",
    "jumprelu, REFERENCE",
    "topk-rescaled, FAST",
    "topk-rescaled, REFERENCE",
    "normalize-layer-norm, FAST",
    "normalize-constant-norm-rescale, REFERENCE",
    "normalize-factor-of-the-registry, FAST",
    "dtype-float64, FAST",
    "hook-z, REFERENCE",
  })
  void calls_eachCase_leaveOnlyTheirResult(String name, Engine engine) throws IOException {
    try (SAE sae = CaseFolder.load(name, LoadOptions.defaults().engine(engine));
        NDManager manager = NDManager.newBaseManager(Device.cpu())) {
      NDArray x = manager.randomNormal(new Shape(2, 3, CaseFolder.D_IN));
      for (var call : calls().values()) {
        Object unused = call.apply(sae, x); // What is made once is made here.
      }
      sae.decode(sae.encode(x));
      calls()
          .forEach(
              (call, function) -> {
                Live before = NativeMemory.live(manager);
                Object result = function.apply(sae, x);
                assertThat(NativeMemory.live(manager))
                    .as(call)
                    .isEqualTo(new Live(before.arrays() + arraysIn(result), before.managers()));
              });
      NDArray f = sae.encode(x);
      Live before = NativeMemory.live(manager);
      sae.decode(f);
      assertThat(NativeMemory.live(manager))
          .isEqualTo(new Live(before.arrays() + 1, before.managers()));
    }
  }

  @ParameterizedTest
  @EnumSource(Engine.class)
  void calls_thatFail_leaveNothing(Engine engine) throws IOException {
    try (SAE sae = CaseFolder.load("jumprelu", LoadOptions.defaults().engine(engine));
        NDManager manager = NDManager.newBaseManager(Device.cpu())) {
      NDArray x = manager.ones(new Shape(3, CaseFolder.D_IN));
      NDArray wrong = manager.ones(new Shape(3, CaseFolder.D_IN + 1));
      SparseLatents wide = SparseLatents.of(new int[] {0, 1}, new int[] {30}, new float[] {1f}, 31);
      sae.forward(x);
      Live before = NativeMemory.live(manager);
      calls()
          .forEach(
              (name, call) -> {
                if (!name.equals("rows")) {
                  assertThatThrownBy(() -> call.apply(sae, wrong))
                      .as(name)
                      .isInstanceOf(IllegalArgumentException.class);
                }
              });
      assertThatThrownBy(() -> sae.decode(wrong)).isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> sae.decode(wide)).isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> sae.reconstructions(wide, manager))
          .isInstanceOf(IllegalArgumentException.class);
      RuntimeException own = new RuntimeException("of the caller");
      assertThatThrownBy(
              () ->
                  sae.forward(
                      x,
                      f -> {
                        throw own;
                      }))
          .isSameAs(own);
      assertThat(NativeMemory.live(manager)).isEqualTo(before);
    }
  }

  @ParameterizedTest
  @EnumSource(Engine.class)
  void calls_manyRounds_keepMemoryFlat(Engine engine) throws IOException {
    assumeTrue(NativeMemory.isResidentKnown(), "resident memory is read from /proc, Linux only");
    float[] activations = DemoData.activations();
    try (SAE sae = DemoData.sae(LoadOptions.defaults().engine(engine));
        SAE prefix = sae.prefix(512);
        NDManager manager = NDManager.newBaseManager(Device.cpu())) {
      for (int i = 0; i < 10; i++) {
        round(sae, prefix, activations, manager);
      }
      Live before = NativeMemory.live(manager);
      assertFlat(
          FLAT_MEBIBYTES,
          () -> {
            for (int i = 0; i < ROUNDS; i++) {
              round(sae, prefix, activations, manager);
            }
          });
      assertThat(NativeMemory.live(manager)).isEqualTo(before);
    }
  }

  private interface Rounds {
    void run() throws IOException;
  }

  /** A leak grows in every period; what an allocator or the JIT compiler keeps once does not. */
  private static void assertFlat(long mebibytes, Rounds rounds) throws IOException {
    long growth = Long.MAX_VALUE;
    for (int period = 0; period < PERIODS && growth >= mebibytes; period++) {
      long resident = NativeMemory.residentMebibytes();
      rounds.run();
      growth = NativeMemory.residentMebibytes() - resident;
    }
    assertThat(growth).as("MiB more in each of %d periods", PERIODS).isLessThan(mebibytes);
  }

  private static void round(SAE sae, SAE prefix, float[] activations, NDManager manager) {
    try (NDManager own = manager.newSubManager()) {
      NDArray x = own.create(activations, new Shape(DemoData.ROWS, DemoData.D_IN));
      sae.decode(sae.encode(x));
      sae.forward(x, f -> f.zero(3));
      sae.steer(x, 5, 1f);
      prefix.forward(x);
      assertThatThrownBy(() -> sae.encode(x.reshape(DemoData.D_IN, DemoData.ROWS)))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @ParameterizedTest
  @EnumSource(Engine.class)
  void loadAndClose_manyRounds_keepMemoryFlat(Engine engine, @TempDir Path folder)
      throws IOException {
    LoadOptions options = LoadOptions.defaults().engine(engine);
    // A copy of its own, since other tests of this JVM use the bundled files.
    Path bundled = DemoData.path("/io/matryoshka/sae/releases/demo/all-minilm-l6-v2-matryoshka");
    for (String name : List.of(SaeFiles.CONFIG, SaeFiles.WEIGHTS)) {
      Files.copy(bundled.resolve(name), folder.resolve(name));
    }
    Path weights = folder.resolve(SaeFiles.WEIGHTS);
    float[] x = DemoData.activations();
    try (NDManager manager = NDManager.newBaseManager(Device.cpu())) {
      for (int i = 0; i < 15; i++) {
        loadAndClose(folder, options, x);
      }
      Live before = NativeMemory.live(manager);
      Rounds loads =
          () -> {
            for (int i = 0; i < 30; i++) {
              loadAndClose(folder, options, x);
            }
          };
      boolean known = NativeMemory.isResidentKnown();
      if (known) {
        assertFlat(LOADS_FLAT_MEBIBYTES, loads);
      } else {
        loads.run();
      }
      assertThat(NativeMemory.live(manager)).isEqualTo(before);
      if (known) {
        awaitNoUse(weights);
      }
    }
  }

  private static void loadAndClose(Path folder, LoadOptions options, float[] x) throws IOException {
    try (SAE sae = SAE.load(folder, options)) {
      assertThat(sae.encodeSparse(x).activeCount()).isPositive();
    }
  }

  /** Mappings end with their buffers, which the garbage collector finds in its own time. */
  private static void awaitNoUse(Path weights) throws IOException {
    long uses = NativeMemory.uses(weights);
    for (int i = 0; i < 100 && uses > 0; i++) {
      System.gc();
      NativeMemory.pause();
      uses = NativeMemory.uses(weights);
    }
    assertThat(uses).as("mappings and descriptors of %s", weights).isZero();
  }

  @Test
  void load_thatFails_leavesNothing(@TempDir Path folder) throws IOException {
    CaseFolder.copy("jumprelu", folder);
    try (NDManager manager = NDManager.newBaseManager(Device.cpu())) {
      Live before = NativeMemory.live(manager);
      for (int i = 0; i < 20; i++) {
        assertThatThrownBy(() -> SAE.load(folder, LoadOptions.defaults().prefix(25)))
            .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> SAE.load(folder, LoadOptions.defaults().widths(List.of(5, 3))))
            .isInstanceOf(IllegalArgumentException.class);
      }
      CaseFolder.copy("jumprelu", folder).weights(t -> t.remove("b_enc"));
      assertThatThrownBy(() -> SAE.load(folder)).isInstanceOf(SaeFormatException.class);
      assertThat(NativeMemory.live(manager)).isEqualTo(before);
      if (NativeMemory.isResidentKnown()) {
        awaitNoUse(folder.resolve(SaeFiles.WEIGHTS));
      }
    }
  }
}
