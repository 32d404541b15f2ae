package io.matryoshka.sae.internal.kernel.device;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.config.LatentParameters;
import io.matryoshka.sae.internal.kernel.AgainstReference;
import io.matryoshka.sae.internal.kernel.Csr;
import io.matryoshka.sae.internal.kernel.DeviceCsr;
import io.matryoshka.sae.internal.kernel.EncodeEngine;
import io.matryoshka.sae.internal.kernel.ReferenceEngine;
import io.matryoshka.sae.internal.kernel.ScreeningStats;
import io.matryoshka.sae.internal.kernel.SelectionRule;
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

  private static final SelectionRule TOP_K = new SelectionRule(SelectionRule.Kind.TOP_K, 5);
  private static final SelectionRule BATCH_TOP_K =
      new SelectionRule(SelectionRule.Kind.BATCH_TOP_K, 5);

  /** Multiplications from which a block is screened with int8 products. */
  abstract long int8From();

  @Override
  protected Device device() {
    return Engine.getInstance().defaultDevice();
  }

  @Override
  protected EncodeEngine engine(Problem p) {
    return engine(DeviceEngine.encoderRows(p.weights), p.parameters());
  }

  private DeviceEngine engine(NDArray rows, LatentParameters parameters) {
    return new DeviceEngine(rows, parameters, int8From(), rows.getManager());
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
    Case c =
        new Case(dIn, dSae, n, width, Rows.MIXED, Thresholds.TYPICAL, SelectionRule.THRESHOLD, 8);
    try (Problem problem = problem(c)) {
      problem.compare(SelectionRule.THRESHOLD);
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
      assertThat(stats.fallbackRows()).isZero();
      assertThat(stats.active()).isEqualTo(64 * 5);
      assertThat(stats.candidates()).isBetween(stats.active(), stats.screened() / 100);
    }
  }

  @Test
  void encode_mostLatentsActive_computesThemAll() {
    Case c = new Case(64, 512, 40, 512, Rows.PLAIN, Thresholds.ZERO, SelectionRule.THRESHOLD, 2);
    try (Problem problem = problem(c)) {
      problem.compare(SelectionRule.THRESHOLD);
      assertThat(problem.fast.stats().fallbackRows()).isEqualTo(40);
      problem.compare(new SelectionRule(SelectionRule.Kind.TOP_K, 200));
      problem.compare(new SelectionRule(SelectionRule.Kind.BATCH_TOP_K, 200));
      assertThat(problem.fast.stats().fallbackRows()).isEqualTo(120);
    }
  }

  @Test
  void encode_equalActivations_keepsTheLowerIndex() {
    Case c = new Case(4, 40, 3, 40, Rows.PLAIN, Thresholds.ZERO, TOP_K, 2);
    try (Problem problem = problem(c)) {
      Arrays.fill(problem.x, 1f);
      NDArray same = problem.manager.ones(new Shape(40, 4));
      double[] zeros = new double[40];
      double[] ones = new double[40];
      Arrays.fill(ones, 1);
      EncodeEngine engine = engine(same, LatentParameters.of(zeros, ones, zeros));
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
      for (SelectionRule rule : List.of(TOP_K, BATCH_TOP_K)) {
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
      for (SelectionRule rule : List.of(SelectionRule.THRESHOLD, TOP_K, BATCH_TOP_K)) {
        assertThat(problem.encode(problem.fast, new float[0], 0, rule).rows()).isZero();
      }
    }
  }

  @Test
  void encode_nothingActive_hasRowsWithoutEntries() {
    Case c =
        new Case(20, 50, 6, 50, Rows.PLAIN, Thresholds.UNREACHABLE, SelectionRule.THRESHOLD, 3);
    try (Problem problem = problem(c)) {
      assertThat(problem.fast(SelectionRule.THRESHOLD).rowOffsets()).isEqualTo(new int[7]);
    }
  }

  @Test
  void encode_weightsBeyondTheBound_areCandidatesAlways() {
    Case c = new Case(16, 400, 5, 400, Rows.PLAIN, Thresholds.TYPICAL, SelectionRule.THRESHOLD, 6);
    try (Problem problem = problem(c)) {
      float[] weights = DeviceEngine.encoderRows(problem.weights).toFloatArray();
      Arrays.fill(weights, 0, 16, 1e30f);
      Arrays.fill(weights, 16, 32, Float.MIN_VALUE);
      weights[33] = Float.NaN;
      weights[50] = Float.POSITIVE_INFINITY;
      NDArray rows = problem.manager.create(weights, new Shape(400, 16));
      NDArray x = problem.manager.create(problem.x, new Shape(5, 16));
      Csr fast = engine(rows, problem.parameters()).encode(x, 400, SelectionRule.THRESHOLD);
      Csr plain =
          new ReferenceEngine(rows.transpose(), problem.parameters())
              .encode(x, 400, SelectionRule.THRESHOLD);
      assertThat(fast.rowOffsets()).isEqualTo(plain.rowOffsets());
      assertThat(fast.latents()).isEqualTo(plain.latents());
    }
  }

  @Test
  void create_deviceThatRefuses_leavesNothing() {
    Case c = new Case(20, 50, 1, 50, Rows.PLAIN, Thresholds.TYPICAL, TOP_K, 3);
    try (Problem problem = problem(c)) {
      NDArray rows = DeviceEngine.encoderRows(problem.weights);
      double[] few = new double[49]; // libtorch refuses it.
      LatentParameters wrong = LatentParameters.of(few, few, few);
      int before = problem.manager.getManagedArrays().size();
      assertThat(DeviceEngine.create(rows, wrong, int8From())).isEmpty();
      assertThat(problem.manager.getManagedArrays()).hasSize(before);
      assertThat(DeviceEngine.create(rows, problem.parameters(), int8From())).isPresent();
    }
  }

  @Test
  void encodeOnDevice_result_isOfTheOwner() {
    Case c = new Case(30, 90, 12, 90, Rows.PLAIN, Thresholds.TYPICAL, SelectionRule.THRESHOLD, 4);
    try (Problem problem = problem(c)) {
      NDArray x = problem.manager.create(problem.x, new Shape(12, 30));
      int before = problem.manager.getManagedArrays().size();
      DeviceCsr csr = problem.fast.encodeOnDevice(x, 90, SelectionRule.THRESHOLD, problem.manager);
      assertThat(problem.manager.getManagedArrays()).hasSize(before + 3);
      assertThat(csr.rowOffsets().getDataType()).isEqualTo(DataType.INT64);
      assertThat(csr.rows()).isEqualTo(12);
      Csr plain = problem.plain(SelectionRule.THRESHOLD);
      assertThat(csr.toHost().latents()).isEqualTo(plain.latents());
      DeviceCsr uploaded = DeviceCsr.of(plain, x.getDevice(), problem.manager);
      assertThat(uploaded.rowOffsets()).isEqualTo(csr.rowOffsets());
      assertThat(uploaded.latents()).isEqualTo(csr.latents());
      assertThat(problem.manager.getManagedArrays()).hasSize(before + 6);
    }
  }

  @Test
  void encode_manyThreads_giveTheSameBits() throws Exception {
    Case c =
        new Case(96, 1000, 300, 1000, Rows.MIXED, Thresholds.TYPICAL, SelectionRule.THRESHOLD, 9);
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try (Problem problem = problem(c)) {
      Csr expected = problem.fast(SelectionRule.THRESHOLD);
      List<Callable<Csr>> calls = new ArrayList<>();
      for (int i = 0; i < 16; i++) {
        calls.add(() -> problem.fast(SelectionRule.THRESHOLD));
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
