package io.matryoshka.sae;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.internal.bench.SyntheticSae;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An SAE on a CUDA device against the plain engine on the CPU. */
@Tag("gpu")
class CudaTest {

  private static final int D_IN = 512;
  private static final int D_SAE = 8192;

  /** With the sizes above enough for int8 products, and with a tenth of them not. */
  private static final int TOKENS = 4096;

  @TempDir Path folder;

  @BeforeEach
  void skipWithoutGpu() {
    requireGpu();
  }

  static void requireGpu() {
    assumeTrue(
        ai.djl.engine.Engine.getInstance().getGpuCount() > 0,
        "no CUDA device; put a CUDA build of pytorch-native on the class path of a machine with one");
  }

  @Test
  void calls_demo_areThoseOfTheReferenceOnTheCpu() throws IOException {
    LoadOptions plainOptions = LoadOptions.defaults().engine(LoadOptions.Engine.REFERENCE);
    float[] rows = DemoData.activations();
    Shape shape = new Shape(DemoData.ROWS, DemoData.D_IN);
    try (SAE fast = DemoData.sae(LoadOptions.defaults().device(Device.gpu()));
        SAE plain = DemoData.sae(plainOptions);
        NDManager gpu = NDManager.newBaseManager(Device.gpu());
        NDManager cpu = NDManager.newBaseManager(Device.cpu())) {
      NDArray x = gpu.create(rows, shape);
      NDArray same = cpu.create(rows, shape);
      for (Selection selection :
          new Selection[] {Selection.threshold(), Selection.topK(20), Selection.batchTopK(20)}) {
        SparseLatents actual = fast.encodeOnDevice(x, selection).toHost();
        SparseLatents expected = plain.encodeSparse(same, selection);
        assertThat(actual.rowOffsets()).isEqualTo(expected.rowOffsets());
        assertThat(actual.latents()).isEqualTo(expected.latents());
        DemoReferenceTest.assertClose(actual.activations(), expected.activations());
      }
      assertThat(fast.preparedBytes()).as("the fast engine runs").isPositive();
      assertThat(fast.screeningStats().fallbackRows()).isZero();
      NDArray out = fast.forward(x);
      assertThat(out.getDevice()).isEqualTo(Device.gpu());
      DemoReferenceTest.assertClose(out.toFloatArray(), plain.forward(same).toFloatArray());
      NDArray[] nested = fast.reconstructions(x);
      NDArray[] expected = plain.reconstructions(same);
      for (int level = 0; level < nested.length; level++) {
        DemoReferenceTest.assertClose(nested[level].toFloatArray(), expected[level].toFloatArray());
      }
      DemoReferenceTest.assertClose(
          fast.encode(x).toFloatArray(), plain.encode(same).toFloatArray());
      assertThat(fast.encodeSparse(rows).latents()).isEqualTo(plain.encodeSparse(rows).latents());
    }
  }

  @Test
  void encode_inSplits_givesTheLatentsOfTheWholeBatch() throws IOException {
    SyntheticSae synthetic = new SyntheticSae(D_IN, D_SAE, 5);
    synthetic.write(folder);
    try (SAE sae = SAE.load(folder, LoadOptions.defaults().device(Device.gpu()))) {
      SparseLatents whole = sae.encodeSparse(synthetic.tokens(0, TOKENS));
      assertThat(sae.screeningStats().fallbackRows()).isZero();
      for (int split : new int[] {1, 100, TOKENS / 10, TOKENS - 1}) {
        int first = TOKENS - split;
        SparseLatents part = sae.encodeSparse(synthetic.tokens(first, split));
        int from = whole.rowOffsets()[first];
        int to = whole.rowOffsets()[TOKENS];
        assertThat(part.latents()).isEqualTo(Arrays.copyOfRange(whole.latents(), from, to));
        DemoReferenceTest.assertClose(
            part.activations(), Arrays.copyOfRange(whole.activations(), from, to));
      }
    }
  }

  @Test
  void calls_largeBatch_areThoseOfTheReferenceOnTheCpu() throws IOException {
    SyntheticSae synthetic = new SyntheticSae(D_IN, D_SAE, 6);
    synthetic.write(folder);
    float[] tokens = synthetic.tokens(0, TOKENS);
    LoadOptions onGpu = LoadOptions.defaults().device(Device.gpu());
    try (SAE sae = SAE.load(folder, onGpu);
        Agreement agreement = new Agreement(folder, sae)) {
      agreement.add(tokens, TOKENS);
      assertThat(agreement.differBeyond()).as("%s", agreement).isZero();
      assertThat(agreement.largestDifference()).isLessThan(5e-5);
    }
    Shape shape = new Shape(TOKENS, D_IN);
    try (SAE sae = SAE.load(folder, onGpu);
        SAE plain = SAE.load(folder, onGpu.engine(LoadOptions.Engine.REFERENCE));
        NDManager gpu = NDManager.newBaseManager(Device.gpu())) {
      NDArray x = gpu.create(tokens, shape);
      DemoReferenceTest.assertClose(sae.forward(x).toFloatArray(), plain.forward(x).toFloatArray());
      NDArray[] nested = sae.reconstructions(x);
      SparseLatents latents = sae.encodeSparse(x, Selection.topK(30));
      NDArray[] expected = plain.reconstructions(x);
      for (int level = 0; level < nested.length; level++) {
        DemoReferenceTest.assertClose(nested[level].toFloatArray(), expected[level].toFloatArray());
      }
      assertThat(latents.activeCount()).isEqualTo(30L * TOKENS);
    }
  }
}
