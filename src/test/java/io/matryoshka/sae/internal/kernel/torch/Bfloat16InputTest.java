package io.matryoshka.sae.internal.kernel.torch;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import io.matryoshka.sae.LoadOptions;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.SparseLatents;
import java.io.ByteArrayInputStream;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Models that run in bfloat16 hand on bfloat16 arrays. DJL neither makes nor names that type, so a
 * TorchScript module of this test makes them.
 */
class Bfloat16InputTest {

  private static final String MODULE =
      """
      class Rounding(Module):
        __parameters__ = []
        __buffers__ = []
        training : bool
        def forward(self: __torch__.Rounding, x: Tensor) -> Tensor:
          return torch.to(x, 15)
      """;

  private static final int ROWS = 20;

  @ParameterizedTest
  @EnumSource(LoadOptions.Engine.class)
  void everyOperation_bfloat16_isThatOfTheRoundedFloats(LoadOptions.Engine engine)
      throws Exception {
    LoadOptions options = LoadOptions.defaults().engine(engine);
    try (SAE sae =
            SAE.fromPretrained("all-minilm-l6-v2-matryoshka-demo", "last_hidden_state", options);
        Model module = Model.newInstance("rounding", Device.cpu(), "PyTorch");
        NDManager manager = NDManager.newBaseManager(Device.cpu())) {
      module.load(
          new ByteArrayInputStream(
              TorchScriptArchive.of("Rounding", MODULE, TorchScriptArchive.OLDEST_VERSION)));
      float[] x = activations(sae.dIn());
      NDArray half = rounded(module, manager.create(x, new Shape(ROWS, sae.dIn())));
      NDArray floats = manager.create(rounded(x), new Shape(ROWS, sae.dIn()));
      assertThat(half.getDataType()).isEqualTo(DataType.UNKNOWN);

      SparseLatents latents = sae.encodeSparse(half);
      SparseLatents expected = sae.encodeSparse(floats);
      assertThat(latents.rowOffsets()).isEqualTo(expected.rowOffsets());
      assertThat(latents.latents()).isEqualTo(expected.latents());
      assertThat(latents.activations()).isEqualTo(expected.activations());
      assertThat(latents.latents()).isNotEmpty();
      assertThat(sae.encode(half)).isEqualTo(sae.encode(floats));
      assertThat(sae.forward(half)).isEqualTo(sae.forward(floats));
      NDArray dense = sae.encode(floats);
      NDArray halfDense = rounded(module, dense);
      assertThat(sae.decode(halfDense))
          .isEqualTo(sae.decode(TorchKernels.on(Device.cpu()).toFloat32(halfDense)));
      assertThat(sae.errorTerm(half)).isEqualTo(sae.errorTerm(floats));
      assertThat(sae.steer(half, 3, 2f)).isEqualTo(sae.steer(floats, 3, 2f));
    }
  }

  private static NDArray rounded(Model module, NDArray x) {
    ParameterStore none = new ParameterStore(x.getManager(), false);
    return module.getBlock().forward(none, new NDList(x), false).singletonOrThrow();
  }

  /** The nearest bfloat16, ties to even. */
  private static float[] rounded(float[] x) {
    float[] rounded = new float[x.length];
    for (int i = 0; i < x.length; i++) {
      int bits = Float.floatToRawIntBits(x[i]);
      int raised = bits + 0x7fff + (bits >>> 16 & 1);
      rounded[i] = Float.intBitsToFloat(raised & 0xffff0000);
    }
    return rounded;
  }

  private static float[] activations(int dIn) {
    Random random = new Random(8);
    float[] x = new float[ROWS * dIn];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) random.nextGaussian();
    }
    return x;
  }
}
