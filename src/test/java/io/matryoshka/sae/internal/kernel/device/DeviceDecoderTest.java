package io.matryoshka.sae.internal.kernel.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.internal.kernel.torch.TorchKernels;
import io.matryoshka.sae.internal.kernel.torch.TorchMethod;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Both ways to sum decoder rows on a device; the CPU runs them as well. */
class DeviceDecoderTest {

  @ParameterizedTest
  @CsvSource({
    "BAG_SUMS, FLOAT32",
    "BAG_SUMS, FLOAT64",
    "SPARSE_SUMS, FLOAT32",
    "SPARSE_SUMS, FLOAT64"
  })
  void sums_rowsWithAndWithoutEntries_areWeightedSums(TorchMethod method, DataType type) {
    try (NDManager manager = NDManager.newBaseManager(Device.cpu())) {
      NDArray rows =
          manager
              .create(new float[] {1, 2, 10, 20, 100, 200, 5, 6}, new Shape(4, 2))
              .toType(type, false);
      NDArray latents = manager.create(new long[] {0, 2, 1, 2, 3});
      NDArray offsets = manager.create(new long[] {0, 2, 2, 5});
      NDArray values = manager.create(new float[] {1f, 0.5f, 2f, -1f, 0f}).toType(type, false);
      NDArray sums = TorchKernels.on(Device.cpu()).call(method, latents, offsets, values, rows);
      assertThat(sums.getShape()).isEqualTo(new Shape(3, 2));
      float[] expected = {51, 102, 0, 0, -80, -160};
      assertThat(sums.getDataType()).isEqualTo(type);
      float[] actual = sums.toType(DataType.FLOAT32, false).toFloatArray();
      for (int i = 0; i < expected.length; i++) {
        assertThat(actual[i]).isCloseTo(expected[i], within(1e-4f));
      }
    }
  }
}
