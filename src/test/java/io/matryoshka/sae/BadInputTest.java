package io.matryoshka.sae;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.LoadOptions.Engine;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What an SAE says to activations and latents that do not fit it, and to calls after close. */
class BadInputTest {

  private static final int D_IN = CaseFolder.D_IN;
  private static final int D_SAE = CaseFolder.D_SAE;

  private NDManager manager;
  private SAE sae;

  @BeforeEach
  void load() throws IOException {
    manager = NDManager.newBaseManager(Device.cpu());
    sae = CaseFolder.load("jumprelu", LoadOptions.defaults());
  }

  @AfterEach
  void close() {
    sae.close();
    manager.close();
  }

  private NDArray ones(long... shape) {
    return manager.ones(new Shape(shape));
  }

  private static void assertRefused(ThrowingCallable call, String... messages) {
    assertThatThrownBy(call)
        .isInstanceOf(IllegalArgumentException.class)
        .message()
        .contains(messages);
  }

  // Activations

  @Test
  void calls_activationsOfAnotherWidth_nameShapeAndHookPoint() {
    NDArray x = ones(4, 9);
    String[] message = {
      "encode: activations must have shape [..., d_in] = [..., 8], got [4, 9]",
      "hook point blocks.3.hook_resid_post",
      "check that they come from the hook point of this SAE"
    };
    assertRefused(() -> sae.encode(x), message);
    assertRefused(() -> sae.encodeSparse(x), message);
    assertRefused(() -> sae.forward(x), message);
    assertRefused(() -> sae.forward(x, f -> f), message);
    assertRefused(() -> sae.errorTerm(x), message);
    assertRefused(() -> sae.reconstructions(x), message);
    assertRefused(() -> sae.steer(x, 0, 1f), message);
    assertRefused(() -> sae.encode(manager.create(1f)), "got []");
  }

  @Test
  void encode_hookZ_namesBothShapes() throws IOException {
    try (SAE hookZ = CaseFolder.load("hook-z", LoadOptions.defaults())) {
      assertRefused(() -> hookZ.encode(ones(4, 3, 3)), "or [..., heads, d_head], got [4, 3, 3]");
    }
  }

  @Test
  void encode_integers_namesTheTypesThatFit() {
    NDArray x = manager.ones(new Shape(4, D_IN), DataType.INT32);

    assertRefused(
        () -> sae.encode(x),
        "activations must be float16, bfloat16, float32 or float64, got int32");
  }

  @Test
  void encode_plainArrays_nameWhatIsMissing() {
    assertRefused(
        () -> sae.encodeSparse(new float[9]),
        "encode: the array must hold whole rows of d_in = 8 floats, got 9");
    assertRefused(
        () -> sae.encodeSparse(FloatBuffer.allocate(17), 3),
        "encode: 3 rows of d_in = 8 need 24 floats, the buffer has 17");
    assertRefused(() -> sae.encodeSparse(FloatBuffer.allocate(17), -1), "encode: -1 rows");
  }

  @Test
  void calls_arraysOnAnotherDevice_nameBothDevices() {
    NDArray x = elsewhere(ones(4, D_IN));
    String[] message = {
      "are on gpu(0) but the SAE is on cpu()", "move them with toDevice or load the SAE there"
    };

    assertRefused(() -> sae.encode(x), message);
    assertRefused(() -> sae.encodeSparse(x), message);
    assertRefused(() -> sae.decode(elsewhere(ones(4, D_SAE))), message);
  }

  /** An array that says that it is on a GPU, as machines without one have no other. */
  private static NDArray elsewhere(NDArray array) {
    return (NDArray)
        Proxy.newProxyInstance(
            NDArray.class.getClassLoader(),
            new Class<?>[] {NDArray.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("getDevice")) {
                return Device.gpu(0);
              }
              try {
                return method.invoke(array, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  @ParameterizedTest
  @EnumSource(Engine.class)
  void encode_nanAndInfinity_propagateAsInSaeLens(Engine engine) throws IOException {
    float[] x = new float[6 * D_IN];
    Arrays.fill(x, 0.5f);
    x[D_IN + 3] = Float.NaN;
    x[2 * D_IN + 1] = Float.POSITIVE_INFINITY;
    x[3 * D_IN + 1] = Float.NEGATIVE_INFINITY;
    x[4 * D_IN] = Float.POSITIVE_INFINITY;
    x[4 * D_IN + 1] = Float.NEGATIVE_INFINITY;
    try (SAE loaded = CaseFolder.load("jumprelu", LoadOptions.defaults().engine(engine))) {
      float[] encoder = loaded.encoderRows(0, D_SAE);
      float[] f = loaded.encode(manager.create(x, new Shape(6, D_IN))).toFloatArray();
      SparseLatents sparse = loaded.encodeSparse(x);
      float[] scattered = sparse.toDense(manager).toFloatArray();
      for (int latent = 0; latent < D_SAE; latent++) {
        float w0 = encoder[latent * D_IN];
        float w1 = encoder[latent * D_IN + 1];
        assertThat(f[D_SAE + latent]).as("NaN in the row").isNaN();
        // relu(z) * (z > threshold): +inf stays, -inf becomes 0, +inf - inf is NaN.
        assertThat(f[2 * D_SAE + latent]).isEqualTo(w1 > 0 ? Float.POSITIVE_INFINITY : 0f);
        assertThat(f[3 * D_SAE + latent]).isEqualTo(w1 < 0 ? Float.POSITIVE_INFINITY : 0f);
        float both = w0 > 0 == w1 > 0 ? Float.NaN : w0 > 0 ? Float.POSITIVE_INFINITY : 0f;
        assertThat(f[4 * D_SAE + latent]).isEqualTo((Float) both);
        // Rows beside them are as if alone.
        assertThat(f[5 * D_SAE + latent]).isCloseTo(f[latent], within(1e-6f));
        assertThat(Float.isFinite(f[latent])).isTrue();
      }
      assertThat(scattered).isEqualTo(f);
      float[] decoded = loaded.decode(sparse);
      assertThat(Arrays.copyOfRange(decoded, D_IN, 2 * D_IN)).containsOnly(Float.NaN);
      assertThat(Float.isNaN(decoded[0])).isFalse();
      assertThat(Arrays.copyOfRange(decoded, 5 * D_IN, 6 * D_IN))
          .containsExactly(Arrays.copyOf(decoded, D_IN), within(1e-5f));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "jumprelu, FAST",
    "jumprelu, REFERENCE",
    "topk-rescaled, FAST",
    "topk-rescaled, REFERENCE",
    "normalize-layer-norm, FAST",
    "normalize-layer-norm, REFERENCE",
    "normalize-constant-norm-rescale, FAST",
    "dtype-float64, FAST",
    "hook-z, FAST",
  })
  void calls_emptyBatch_giveEmptyResults(String name, Engine engine) throws IOException {
    try (SAE loaded = CaseFolder.load(name, LoadOptions.defaults().engine(engine))) {
      for (Shape leading : List.of(new Shape(0), new Shape(3, 0), new Shape(0, 5))) {
        NDArray x = manager.zeros(leading.add(D_IN));
        NDArray f = loaded.encode(x);
        assertThat(f.getShape()).isEqualTo(leading.add(D_SAE));
        SparseLatents sparse = loaded.encodeSparse(x);
        assertThat(sparse.rows()).isZero();
        assertThat(sparse.leadingShape()).isEqualTo(leading.getShape());
        assertThat(sparse.toDense(manager).getShape()).isEqualTo(leading.add(D_SAE));
        for (Selection selection : List.of(Selection.topK(2), Selection.batchTopK(2))) {
          assertThat(loaded.encodeSparse(x, selection).activeCount()).isZero();
        }
        for (NDArray out :
            List.of(
                loaded.decode(f),
                loaded.decode(sparse, manager),
                loaded.forward(x),
                loaded.forward(x, edited -> edited.set(3, 1f)),
                loaded.errorTerm(x),
                loaded.reconstructions(x)[0],
                loaded.steer(x, 1, 2f))) {
          assertThat(out.getShape()).isEqualTo(x.getShape());
        }
      }
      assertThat(loaded.decode(loaded.encodeSparse(new float[0]))).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -1, D_SAE + 1, Integer.MAX_VALUE})
  void prefix_widthOutOfRange_namesTheRange(int width) {
    assertRefused(
        () -> sae.prefix(width), "prefix width must lie in 1..24, got " + width, "trained widths");
  }

  @Test
  void rowsOfLatents_outOfRange_areRefused() {
    assertThatThrownBy(() -> sae.decoderRows(0, 25)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> sae.encoderRows(-1, 3)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThat(sae.decoderRows(24, 24)).isEmpty();
    assertRefused(
        () -> sae.steer(ones(1, D_IN), D_SAE, 1f), "steer: latent must lie in 0..23, got 24");
  }

  // Latents

  @Test
  void decode_denseLatentsOfAnotherWidth_namesBoth() {
    assertRefused(
        () -> sae.decode(ones(4, 23)),
        "decode: latents must have shape [..., d_sae] = [..., 24], got [4, 23]");
    assertRefused(() -> sae.decode(manager.create(1f)), "got []");
    try (SAE prefix = sae.prefix(5)) {
      assertRefused(() -> prefix.decode(ones(4, D_SAE)), "[..., 5], got [4, 24]");
    }
  }

  @Test
  void decode_latentsWiderThanThePrefix_saysWhatToKeep() {
    SparseLatents latents = SparseLatents.of(new int[] {0, 2}, new int[] {2, 23}, ofOnes(2), D_SAE);
    try (SAE prefix = sae.prefix(5)) {
      assertRefused(
          () -> prefix.decode(latents),
          "decode: latents of width 24 do not fit an SAE of width 5",
          "encode with --prefix 5");
      assertRefused(() -> prefix.reconstructions(latents, manager), "do not fit");
      float[] kept = prefix.decode(latents.range(0, 5));
      assertThat(kept).isEqualTo(sae.decode(latents.range(0, 5)));
    }
  }

  @Test
  void decode_latentsOfAnotherSae_saysWhoseTheyAre() throws IOException {
    float[] x = new float[2 * D_IN];
    x[1] = 1f;
    x[D_IN] = 1f;
    try (SAE normalised = CaseFolder.load("normalize-layer-norm", LoadOptions.defaults());
        SAE demo = DemoData.sae(LoadOptions.defaults())) {
      SparseLatents plain = sae.encodeSparse(x);
      SparseLatents scaled = normalised.encodeSparse(x);
      assertRefused(
          () -> normalised.decode(plain),
          "this SAE normalises each token (layer_norm), but the latents carry no scale",
          "decode them with the SAE that encoded them");
      assertRefused(
          () -> sae.decode(scaled),
          "this SAE does not normalise each token (none), but the latents carry scales");
      assertRefused(
          () -> demo.decode(plain),
          "latents are of activations [..., d_in] = [..., 8], but this SAE has d_in = 384");
      assertRefused(() -> demo.reconstructions(plain, manager), "this SAE has d_in = 384");
    }
  }

  @Test
  void decode_denseWithoutAnEncode_saysWhatToUse() throws IOException {
    try (SAE normalised = CaseFolder.load("normalize-layer-norm", LoadOptions.defaults())) {
      assertThatThrownBy(() -> normalised.decode(ones(4, D_SAE)))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("this SAE normalises each token (layer_norm)")
          .hasMessageContaining("use encodeSparse");
    }
  }

  private static float[] ofOnes(int count) {
    float[] ones = new float[count];
    Arrays.fill(ones, 1f);
    return ones;
  }

  // Closed

  private Map<String, ThrowingCallable> calls(SAE closed) {
    NDArray x = ones(2, D_IN);
    SparseLatents latents = SparseLatents.of(new int[] {0, 1}, new int[] {3}, ofOnes(1), D_SAE);
    Map<String, ThrowingCallable> calls = new TreeMap<>();
    calls.put("encode", () -> closed.encodeSparse(x));
    calls.put("encode array", () -> closed.encodeSparse(new float[D_IN]));
    calls.put("encode buffer", () -> closed.encodeSparse(FloatBuffer.allocate(D_IN), 1));
    calls.put("encodeSparse", () -> closed.encodeSparse(x));
    calls.put("encodeSparse selection", () -> closed.encodeSparse(x, Selection.topK(1)));
    calls.put("decode dense", () -> closed.decode(ones(2, D_SAE)));
    calls.put("decode", () -> closed.decode(latents, manager));
    calls.put("decode to array", () -> closed.decode(latents));
    calls.put("forward", () -> closed.forward(x));
    calls.put("forward edit", () -> closed.forward(x, f -> f));
    calls.put("steer", () -> closed.steer(x, 1, 1f));
    calls.put("error", () -> closed.errorTerm(x));
    calls.put("reconstructions", () -> closed.reconstructions(x));
    calls.put("reconstructions of latents", () -> closed.reconstructions(latents, manager));
    calls.put("decoderRows", () -> closed.decoderRows(0, 1));
    calls.put("encoderRows", () -> closed.encoderRows(0, 1));
    calls.put("prefix", () -> closed.prefix(3));
    return calls;
  }

  @Test
  void calls_closedSae_sayThatItIsClosed() {
    SAE view = sae.prefix(D_SAE);
    sae.close();
    sae.close();

    assertThat(sae.isClosed()).isTrue();
    assertThat(view.isClosed()).isTrue();
    for (SAE closed : List.of(sae, view)) {
      calls(closed)
          .forEach(
              (name, call) ->
                  assertThatThrownBy(call)
                      .as(name)
                      .isInstanceOf(IllegalStateException.class)
                      .hasMessage("this SAE is closed; load it again"));
    }
    assertThat(sae.toString()).contains("d_sae=24");
    assertThat(sae.thresholds()).hasSize(D_SAE);
  }

  @Test
  void calls_closedView_sayThatItIsClosedAndTheSaeRuns() {
    SAE view = sae.prefix(D_SAE);
    view.close();
    view.close();

    assertThat(view.isClosed()).isTrue();
    assertThat(sae.isClosed()).isFalse();
    calls(view)
        .forEach(
            (name, call) ->
                assertThatThrownBy(call)
                    .as(name)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("this prefix view is closed; take a new one with prefix(w)"));
    assertThat(sae.encode(ones(2, D_IN)).getShape()).isEqualTo(new Shape(2, D_SAE));
  }

  @Test
  void calls_null_nameTheParameter() {
    assertThatThrownBy(() -> sae.encodeSparse(ones(1, D_IN), null))
        .isInstanceOf(NullPointerException.class)
        .hasMessage("selection");
    assertThatThrownBy(() -> sae.decode(sae.encodeSparse(new float[D_IN]), null))
        .isInstanceOf(NullPointerException.class)
        .hasMessage("manager");
  }
}
