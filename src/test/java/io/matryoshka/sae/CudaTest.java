package io.matryoshka.sae;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** An SAE on a CUDA device against the plain engine on the CPU. */
class CudaTest {

  @BeforeEach
  void requireGpu() {
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
      assertThat(fast.screeningStats().denseRows()).isZero();
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
      assertThat(fast.encode(rows).latents()).isEqualTo(plain.encode(rows).latents());
    }
  }
}
