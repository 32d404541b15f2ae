package io.matryoshka.sae;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Many threads on one SAE, and any split of a batch, give the same bits as one thread at once. */
class ConcurrencyTest {

  private static final int THREADS = 8;
  private static final int ROWS = 160;

  private static float[] rows(int from, int to) throws IOException {
    return Arrays.copyOfRange(DemoData.activations(), from * DemoData.D_IN, to * DemoData.D_IN);
  }

  private static void assertSame(SparseLatents got, SparseLatents expected) {
    assertThat(got.rowOffsets()).isEqualTo(expected.rowOffsets());
    assertThat(got.latents()).isEqualTo(expected.latents());
    assertThat(got.activations()).isEqualTo(expected.activations());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 64, 159})
  void encodeAndDecode_anySplit_areTheSameBits(int size) throws IOException {
    Selection selection = Selection.topK(20);
    try (SAE sae = DemoData.sae(LoadOptions.defaults())) {
      SparseLatents whole = encode(sae, 0, ROWS, selection);
      float[] decoded = sae.decode(whole);
      for (int from = 0; from < ROWS; from += size) {
        int to = Math.min(ROWS, from + size);
        SparseLatents part = encode(sae, from, to, selection);
        assertSame(part, whole.rows(from, to));
        assertThat(sae.decode(part))
            .isEqualTo(Arrays.copyOfRange(decoded, from * DemoData.D_IN, to * DemoData.D_IN));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 64, 159})
  void encode_thresholdsAndAnySplit_findsTheSameLatents(int size) throws IOException {
    try (SAE sae = DemoData.sae(LoadOptions.defaults())) {
      for (SAE view : List.of(sae, sae.prefix(512), sae.prefix(32))) {
        SparseLatents whole = encode(view, 0, ROWS, Selection.threshold());
        for (int from = 0; from < ROWS; from += size) {
          int to = Math.min(ROWS, from + size);
          SparseLatents part = encode(view, from, to, Selection.threshold());
          SparseLatents expected = whole.rows(from, to);
          assertThat(part.rowOffsets()).isEqualTo(expected.rowOffsets());
          assertThat(part.latents()).isEqualTo(expected.latents());
          // A float32 product may sum up in another order for another number of rows.
          assertThat(part.activations()).containsExactly(expected.activations(), within(1e-5f));
        }
      }
    }
  }

  private static SparseLatents encode(SAE sae, int from, int to, Selection selection)
      throws IOException {
    return sae.encodeSparse(FloatBuffer.wrap(rows(from, to)), to - from, selection);
  }

  @Test
  void calls_manyThreads_areTheSameBitsAsOne() throws Exception {
    float[] x = rows(0, ROWS);
    try (SAE sae = DemoData.sae(LoadOptions.defaults());
        SAE prefix = sae.prefix(512);
        SAE fresh = DemoData.sae(LoadOptions.defaults())) {
      SparseLatents latents = sae.encodeSparse(x);
      SparseLatents narrow = prefix.encodeSparse(x);
      float[] decoded = sae.decode(latents);
      // The second SAE prepares its encoder while all threads ask for it.
      Callable<Void> call =
          () -> {
            try (NDManager manager = NDManager.newBaseManager(Device.cpu());
                SAE view = fresh.prefix(512)) {
              NDArray array = manager.create(x, new Shape(ROWS, DemoData.D_IN));
              for (int i = 0; i < 3; i++) {
                assertSame(fresh.encodeSparse(array), latents);
                assertSame(view.encodeSparse(x), narrow);
                assertThat(fresh.decode(latents)).isEqualTo(decoded);
                assertThat(fresh.forward(array).toFloatArray()).isEqualTo(decoded);
              }
            }
            return null;
          };
      runAll(call);
    }
  }

  @Test
  void decodeDense_manyThreadsOfANormalisingSae_useTheirOwnTokens() throws Exception {
    try (SAE sae = CaseFolder.load("normalize-layer-norm", LoadOptions.defaults())) {
      Callable<Void> call =
          () -> {
            try (NDManager manager = NDManager.newBaseManager(Device.cpu())) {
              for (int i = 0; i < 30; i++) {
                NDArray x =
                    manager.randomNormal(new Shape(5, 8)).mul(1 + Thread.currentThread().getId());
                NDArray dense = sae.encode(x);
                float[] expected = sae.decode(sae.encodeSparse(x), manager).toFloatArray();
                DemoReferenceTest.assertClose(sae.decode(dense).toFloatArray(), expected);
              }
            }
            return null;
          };
      runAll(call);
    }
  }

  @Test
  void close_whileCallsRun_letsThemEnd() throws Exception {
    float[] x = rows(0, 32);
    for (int round = 0; round < 5; round++) {
      SAE sae = DemoData.sae(LoadOptions.defaults());
      SparseLatents expected = sae.encodeSparse(x);
      CountDownLatch running = new CountDownLatch(THREADS);
      ExecutorService threads = Executors.newFixedThreadPool(THREADS);
      try {
        List<Future<?>> results = new ArrayList<>();
        for (int t = 0; t < THREADS; t++) {
          results.add(threads.submit(() -> encodeUntilClosed(sae, x, expected, running)));
        }
        assertThat(running.await(1, TimeUnit.MINUTES)).isTrue();
        sae.close();
        for (Future<?> result : results) {
          result.get(1, TimeUnit.MINUTES);
        }
      } finally {
        threads.shutdownNow();
      }
    }
  }

  private static void encodeUntilClosed(
      SAE sae, float[] x, SparseLatents expected, CountDownLatch running) {
    try {
      while (true) {
        SparseLatents latents = sae.encodeSparse(x);
        running.countDown();
        assertSame(latents, expected);
      }
    } catch (IllegalStateException e) {
      assertThat(e).hasMessage("this SAE is closed; load it again");
    }
  }

  private static void runAll(Callable<Void> call) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    try {
      List<Callable<Void>> calls = Collections.nCopies(THREADS, call);
      for (Future<Void> result : threads.invokeAll(calls)) {
        result.get();
      }
    } finally {
      threads.shutdownNow();
    }
  }
}
