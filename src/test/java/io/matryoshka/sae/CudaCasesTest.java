package io.matryoshka.sae;

import ai.djl.Device;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

/** The cases of an SAE on an accelerator, on a CUDA device. */
@Tag("gpu")
class CudaCasesTest extends AcceleratorCases {

  @BeforeAll
  static void requireGpu() {
    CudaTest.requireGpu();
  }

  @Override
  Device device() {
    return Device.gpu();
  }

  @Override
  LoadOptions accelerator() {
    return LoadOptions.defaults().device(device()).withAcceleratorEngine(0);
  }

  /** The order of the sums of a sparse product varies on CUDA. */
  @Override
  void assertSameRun(float[] actual, float[] expected) {
    DemoReferenceTest.assertClose(actual, expected);
  }
}
