package io.matryoshka.sae;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.CaseFolder.Tensor;
import io.matryoshka.sae.config.SaeFormatException;
import io.matryoshka.sae.safetensors.Dtype;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Weights that are no numbers, or become none at the type they are rounded to. */
class WeightValuesTest {

  private static final float[] X = {1, 2, 3, 4, 5, 6, 7, 8};

  @TempDir private Path folder;

  /** Sets one element of a float32 tensor. */
  private static void set(Map<String, Tensor> tensors, String name, int position, float value) {
    Tensor tensor = tensors.get(name);
    ByteBuffer bytes = ByteBuffer.wrap(tensor.bytes().clone()).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putFloat(position * Float.BYTES, value);
    tensors.put(name, new Tensor(tensor.dtype(), tensor.shape(), bytes.array()));
  }

  private void spoil(String name, int position, float value) throws IOException {
    CaseFolder.copy("jumprelu", folder).weights(t -> set(t, name, position, value));
  }

  private static void assertNamed(ThrowingCallable use, String message) {
    assertThatThrownBy(use)
        .satisfies(
            thrown -> {
              Throwable known = thrown instanceof SaeFormatException ? thrown : thrown.getCause();
              assertThat(known)
                  .isInstanceOf(SaeFormatException.class)
                  .hasMessageContaining(message)
                  .hasMessageContaining("finite");
            });
  }

  private void encodeAndDecode(LoadOptions options) throws IOException {
    try (SAE sae = SAE.load(folder, options)) {
      sae.decode(SparseLatents.of(new int[] {0, 2}, new int[] {3, 7}, new float[] {1, 1}, 24));
      sae.encodeSparse(X);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "b_enc, 4, NaN, b_enc[4]",
    "b_dec, 7, Infinity, b_dec[7]",
    "threshold, 5, NaN, threshold[5]",
    "W_enc, 49, NaN, 'W_enc[2, 1]'",
    "W_enc, 0, -Infinity, 'W_enc[0, 0]'",
    "W_dec, 24, NaN, 'W_dec[3, 0]'",
    "W_dec, 63, Infinity, 'W_dec[7, 7]'",
  })
  void use_valueThatIsNoNumber_isRefusedByTensorAndIndex(
      String tensor, int position, float value, String named) throws IOException {
    spoil(tensor, position, value);
    for (LoadOptions.Engine engine : LoadOptions.Engine.values()) {
      LoadOptions options = LoadOptions.defaults().engine(engine);
      assertNamed(() -> encodeAndDecode(options), named);
      assertNamed(() -> encodeAndDecode(options.dtype(Dtype.F64)), named);
    }
  }

  @Test
  void decode_rowThatIsNotUsed_isNotInTheWay() throws IOException {
    spoil("W_dec", 24, Float.NaN);
    try (SAE sae = SAE.load(folder)) {
      SparseLatents other = SparseLatents.of(new int[] {0, 1}, new int[] {4}, new float[] {1}, 24);
      assertThat(sae.decode(other)).doesNotContain(Float.NaN);
      assertNamed(() -> sae.decoderRows(3, 4), "W_dec[3, 0]");
      try (NDManager manager = NDManager.newBaseManager(Device.cpu())) {
        assertNamed(
            () -> sae.steer(manager.create(X, new Shape(1, 8)), 3, 1f), "W_dec[3, 0] is NaN");
      }
    }
  }

  @ParameterizedTest
  @EnumSource(LoadOptions.Engine.class)
  void load_typeTooNarrowForAWeight_isRefused(LoadOptions.Engine engine) throws IOException {
    spoil("W_dec", 24, 1e6f);
    LoadOptions options = LoadOptions.defaults().engine(engine);
    assertNamed(() -> encodeAndDecode(options.dtype(Dtype.F16)), "W_dec[3, 0] is Infinity as F16");
    encodeAndDecode(options.dtype(Dtype.BF16));
  }
}
