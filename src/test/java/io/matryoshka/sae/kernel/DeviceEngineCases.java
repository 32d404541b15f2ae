package io.matryoshka.sae.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The engine of accelerators is device-agnostic, so the CPU proves its arithmetic; where there is a
 * GPU, the tests run there.
 */
abstract class DeviceEngineCases extends AgainstReference {

  private static final Rule TOP_K = new Rule(Rule.Kind.TOP_K, 5);
  private static final Rule BATCH_TOP_K = new Rule(Rule.Kind.BATCH_TOP_K, 5);

  /** Multiplications from which a block is screened with int8 products. */
  abstract long int8From();

  @Override
  Device device() {
    return Engine.getInstance().defaultDevice();
  }

  @Override
  EncodeEngine engine(Problem p) {
    NDArray bias = p.manager.create(p.bias);
    NDArray scale = p.manager.create(p.scale);
    return engine(DeviceEngine.encoderRows(p.weights), bias, scale, p.threshold);
  }

  private DeviceEngine engine(NDArray rows, NDArray bias, NDArray scale, float[] threshold) {
    return new DeviceEngine(rows, bias, scale, threshold, int8From(), rows.getManager());
  }

  @ParameterizedTest
  @CsvSource({
    "96, 700, 1, 700",
    "96, 700, 16, 699",
    "97, 700, 17, 1",
    "99, 701, 33, 7",
    "1, 9, 40, 9",
    "8, 8, 4097, 8",
    "103, 300, 4200, 299",
  })
  void encode_oddSizes_isTheReference(int dIn, int dSae, int n, int width) {
    Case c = new Case(dIn, dSae, n, width, Rows.MIXED, Thresholds.TYPICAL, Rule.THRESHOLD, 8);
    try (Problem problem = problem(c)) {
      problem.compare(Rule.THRESHOLD);
      problem.compare(TOP_K);
      problem.compare(BATCH_TOP_K);
    }
  }

  @Test
  void encode_outliers_keepsFewCandidates() {
    Case c = new Case(512, 4096, 64, 4096, Rows.OUTLIERS_1000, Thresholds.TYPICAL, TOP_K, 1);
    try (Problem problem = problem(c)) {
      problem.compare(TOP_K);
      ScreeningStats stats = problem.fast.stats();
      assertThat(stats.screened()).isEqualTo(64 * 4096);
      assertThat(stats.denseRows()).isZero();
      assertThat(stats.active()).isEqualTo(64 * 5);
      assertThat(stats.candidates()).isBetween(stats.active(), stats.screened() / 100);
    }
  }

  @Test
  void encode_mostLatentsActive_computesThemAll() {
    Case c = new Case(64, 512, 40, 512, Rows.PLAIN, Thresholds.ZERO, Rule.THRESHOLD, 2);
    try (Problem problem = problem(c)) {
      problem.compare(Rule.THRESHOLD);
      assertThat(problem.fast.stats().denseRows()).isEqualTo(40);
      problem.compare(new Rule(Rule.Kind.TOP_K, 200));
      problem.compare(new Rule(Rule.Kind.BATCH_TOP_K, 200));
      assertThat(problem.fast.stats().denseRows()).isEqualTo(120);
    }
  }

  @Test
  void encode_equalActivations_keepsTheLowerIndex() {
    Case c = new Case(4, 40, 3, 40, Rows.PLAIN, Thresholds.ZERO, TOP_K, 2);
    try (Problem problem = problem(c)) {
      Arrays.fill(problem.x, 1f);
      NDArray same = problem.manager.ones(new Shape(40, 4));
      NDArray zeros = problem.manager.zeros(new Shape(40));
      NDArray ones = problem.manager.ones(new Shape(40));
      EncodeEngine engine = engine(same, zeros, ones, new float[40]);
      Csr perRow = problem.encode(engine, problem.x, 3, TOP_K);
      assertThat(perRow.rowOffsets()).containsExactly(0, 5, 10, 15);
      assertThat(perRow.latents()).startsWith(0, 1, 2, 3, 4, 0, 1).endsWith(0, 1, 2, 3, 4);
      Csr batch = problem.encode(engine, problem.x, 3, BATCH_TOP_K);
      assertThat(batch.rowOffsets()).containsExactly(0, 15, 15, 15);
      assertThat(batch.latents()).startsWith(0, 1, 2).endsWith(13, 14);
    }
  }

  @Test
  void encode_nanAmongTheLargest_isKeptFirst() {
    Case c = new Case(20, 50, 3, 50, Rows.PLAIN, Thresholds.TYPICAL, TOP_K, 3);
    try (Problem problem = problem(c)) {
      problem.x[20] = Float.NaN;
      for (Rule rule : List.of(TOP_K, BATCH_TOP_K)) {
        Csr fast = problem.fast(rule);
        Csr plain = problem.plain(rule);
        assertThat(fast.rowOffsets()).isEqualTo(plain.rowOffsets());
        assertThat(fast.latents()).isEqualTo(plain.latents());
      }
    }
  }

  @Test
  void encode_noRows_isEmpty() {
    Case c = new Case(20, 50, 1, 50, Rows.PLAIN, Thresholds.TYPICAL, TOP_K, 3);
    try (Problem problem = problem(c)) {
      for (Rule rule : List.of(Rule.THRESHOLD, TOP_K, BATCH_TOP_K)) {
        assertThat(problem.encode(problem.fast, new float[0], 0, rule).rows()).isZero();
      }
    }
  }

  @Test
  void encode_nothingActive_hasRowsWithoutEntries() {
    Case c = new Case(20, 50, 6, 50, Rows.PLAIN, Thresholds.UNREACHABLE, Rule.THRESHOLD, 3);
    try (Problem problem = problem(c)) {
      assertThat(problem.fast(Rule.THRESHOLD).rowOffsets()).isEqualTo(new int[7]);
    }
  }

  @Test
  void encode_weightsBeyondTheBound_areCandidatesAlways() {
    Case c = new Case(16, 400, 5, 400, Rows.PLAIN, Thresholds.TYPICAL, Rule.THRESHOLD, 6);
    try (Problem problem = problem(c)) {
      float[] weights = DeviceEngine.encoderRows(problem.weights).toFloatArray();
      Arrays.fill(weights, 0, 16, 1e30f);
      Arrays.fill(weights, 16, 32, Float.MIN_VALUE);
      weights[33] = Float.NaN;
      weights[50] = Float.POSITIVE_INFINITY;
      NDArray rows = problem.manager.create(weights, new Shape(400, 16));
      NDArray bias = problem.manager.create(problem.bias);
      NDArray scale = problem.manager.create(problem.scale);
      NDArray x = problem.manager.create(problem.x, new Shape(5, 16));
      Csr fast = engine(rows, bias, scale, problem.threshold).encode(x, 400, Rule.THRESHOLD);
      Csr plain =
          new ReferenceEngine(rows.transpose(), bias, scale, problem.threshold)
              .encode(x, 400, Rule.THRESHOLD);
      assertThat(fast.rowOffsets()).isEqualTo(plain.rowOffsets());
      assertThat(fast.latents()).isEqualTo(plain.latents());
    }
  }

  @Test
  void create_deviceThatRefuses_leavesNothing() {
    Case c = new Case(20, 50, 1, 50, Rows.PLAIN, Thresholds.TYPICAL, TOP_K, 3);
    try (Problem problem = problem(c)) {
      NDArray rows = DeviceEngine.encoderRows(problem.weights);
      NDArray bias = problem.manager.create(problem.bias);
      NDArray wrong = problem.manager.ones(new Shape(49)); // libtorch refuses it.
      int before = problem.manager.getManagedArrays().size();
      assertThat(DeviceEngine.create(rows, bias, wrong, problem.threshold, int8From())).isEmpty();
      assertThat(problem.manager.getManagedArrays()).hasSize(before);
      NDArray scale = problem.manager.create(problem.scale);
      assertThat(DeviceEngine.create(rows, bias, scale, problem.threshold, int8From())).isPresent();
    }
  }

  @Test
  void encodeOnDevice_result_isOfTheOwner() {
    Case c = new Case(30, 90, 12, 90, Rows.PLAIN, Thresholds.TYPICAL, Rule.THRESHOLD, 4);
    try (Problem problem = problem(c)) {
      NDArray x = problem.manager.create(problem.x, new Shape(12, 30));
      int before = problem.manager.getManagedArrays().size();
      DeviceCsr csr = problem.fast.encodeOnDevice(x, 90, Rule.THRESHOLD, problem.manager);
      assertThat(problem.manager.getManagedArrays()).hasSize(before + 3);
      assertThat(csr.rowOffsets().getDataType()).isEqualTo(DataType.INT64);
      assertThat(csr.rows()).isEqualTo(12);
      Csr plain = problem.plain(Rule.THRESHOLD);
      assertThat(csr.toHost().latents()).isEqualTo(plain.latents());
      DeviceCsr uploaded = DeviceCsr.of(plain, x.getDevice(), problem.manager);
      assertThat(uploaded.rowOffsets()).isEqualTo(csr.rowOffsets());
      assertThat(uploaded.latents()).isEqualTo(csr.latents());
      assertThat(problem.manager.getManagedArrays()).hasSize(before + 6);
    }
  }

  @Test
  void encode_manyThreads_giveTheSameBits() throws Exception {
    Case c = new Case(96, 1000, 300, 1000, Rows.MIXED, Thresholds.TYPICAL, Rule.THRESHOLD, 9);
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try (Problem problem = problem(c)) {
      Csr expected = problem.fast(Rule.THRESHOLD);
      List<Callable<Csr>> calls = new ArrayList<>();
      for (int i = 0; i < 16; i++) {
        calls.add(() -> problem.fast(Rule.THRESHOLD));
      }
      for (Future<Csr> result : threads.invokeAll(calls)) {
        assertThat(result.get().latents()).isEqualTo(expected.latents());
        assertThat(result.get().values()).isEqualTo(expected.values());
      }
    } finally {
      threads.shutdownNow();
    }
  }
}
