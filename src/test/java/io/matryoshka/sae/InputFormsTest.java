package io.matryoshka.sae;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.LoadOptions.Engine;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Activations of every rank and type, plain memory, every width, and views of views. */
class InputFormsTest {

  private static final int ROWS = 24;

  private static float[] rows() throws IOException {
    return Arrays.copyOf(DemoData.activations(), ROWS * DemoData.D_IN);
  }

  @Test
  void calls_inputOfAnyRank_giveTheSameRows() throws IOException {
    try (SAE sae = DemoData.sae(LoadOptions.defaults());
        NDManager manager = NDManager.newBaseManager(Device.cpu())) {
      SparseLatents expected = sae.encodeSparse(rows());
      float[] reconstruction = sae.decode(expected);
      for (Shape leading : List.of(new Shape(24), new Shape(4, 6), new Shape(2, 3, 1, 4))) {
        NDArray x = manager.create(rows(), leading.add(DemoData.D_IN));
        SparseLatents latents = sae.encodeSparse(x);
        assertThat(latents.leadingShape()).isEqualTo(leading.getShape());
        assertThat(latents.rowOffsets()).isEqualTo(expected.rowOffsets());
        assertThat(latents.activations()).isEqualTo(expected.activations());
        assertThat(sae.encode(x).getShape()).isEqualTo(leading.add(DemoData.D_SAE));
        for (NDArray out :
            List.of(sae.forward(x), sae.decode(latents, manager), sae.reconstructions(x)[3])) {
          assertThat(out.getShape()).isEqualTo(x.getShape());
          DemoReferenceTest.assertClose(out.toFloatArray(), reconstruction);
        }
      }
      NDArray one = manager.create(Arrays.copyOf(rows(), DemoData.D_IN));
      assertThat(sae.encode(one).getShape()).isEqualTo(new Shape(DemoData.D_SAE));
      assertThat(sae.forward(one).getShape()).isEqualTo(new Shape(DemoData.D_IN));
      assertThat(sae.encodeSparse(one).leadingShape()).isEmpty();
      assertThat(sae.encodeSparse(one).activations()).isEqualTo(expected.rows(0, 1).activations());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, ROWS})
  void calls_viewsWithGaps_areReadAsTheirNumbers(int count) throws IOException {
    float[] wide = new float[2 * count * DemoData.D_IN];
    for (int i = 0; i < count * DemoData.D_IN; i++) {
      wide[2 * i] = rows()[i];
    }
    try (SAE sae = DemoData.sae(LoadOptions.defaults());
        NDManager manager = NDManager.newBaseManager(Device.cpu())) {
      NDArray all = manager.create(wide, new Shape(count, 2 * DemoData.D_IN));
      NDArray x = all.get(new NDIndex(":, ::2"));
      NDArray copy = manager.create(Arrays.copyOf(rows(), count * DemoData.D_IN), x.getShape());
      SparseLatents expected = sae.encodeSparse(copy);
      assertThat(sae.encodeSparse(x).latents()).isEqualTo(expected.latents());
      assertThat(sae.encodeSparse(x).activations()).isEqualTo(expected.activations());
      assertThat(sae.forward(x).toFloatArray()).isEqualTo(sae.forward(copy).toFloatArray());
      assertThat(all.toFloatArray()).as("the input stays as it was").isEqualTo(wide);
    }
  }

  @ParameterizedTest
  @CsvSource({"FLOAT64, FAST", "FLOAT16, FAST", "FLOAT64, REFERENCE", "FLOAT16, REFERENCE"})
  void calls_inputOfOtherTypes_areThoseOfFloat32(DataType type, Engine engine) throws IOException {
    try (SAE sae = DemoData.sae(LoadOptions.defaults().engine(engine));
        NDManager manager = NDManager.newBaseManager(Device.cpu())) {
      NDArray other = manager.create(rows(), new Shape(ROWS, DemoData.D_IN)).toType(type, false);
      NDArray float32 = other.toType(DataType.FLOAT32, false);
      assertThat(sae.encode(other).getDataType()).isEqualTo(DataType.FLOAT32);
      assertThat(sae.encode(other)).isEqualTo(sae.encode(float32));
      assertThat(sae.forward(other)).isEqualTo(sae.forward(float32));
      assertThat(sae.errorTerm(other)).isEqualTo(sae.errorTerm(float32));
      assertThat(sae.steer(other, 3, 1f)).isEqualTo(sae.steer(float32, 3, 1f));
      assertThat(sae.forward(other, f -> f.zero(3)))
          .isEqualTo(sae.forward(float32, f -> f.zero(3)));
    }
  }

  @Test
  void encode_buffers_areReadFromTheirPositionWhichStays() throws IOException {
    float[] rows = rows();
    FloatBuffer heap = FloatBuffer.allocate(rows.length + 7).put(5, rows).position(5);
    FloatBuffer direct =
        ByteBuffer.allocateDirect((rows.length + 7) * Float.BYTES)
            .order(ByteOrder.nativeOrder())
            .asFloatBuffer()
            .put(5, rows)
            .position(5);
    FloatBuffer swapped =
        ByteBuffer.allocateDirect((rows.length + 7) * Float.BYTES)
            .order(ByteOrder.BIG_ENDIAN)
            .asFloatBuffer()
            .put(5, rows)
            .position(5);
    try (SAE sae = DemoData.sae(LoadOptions.defaults())) {
      SparseLatents expected = sae.encodeSparse(rows);
      for (FloatBuffer buffer : List.of(heap, direct, swapped, heap.asReadOnlyBuffer())) {
        SparseLatents latents = sae.encodeSparse(buffer, ROWS);
        assertThat(latents.latents()).isEqualTo(expected.latents());
        assertThat(latents.activations()).isEqualTo(expected.activations());
        assertThat(buffer.position()).isEqualTo(5);
        assertThat(buffer.remaining()).isEqualTo(rows.length + 2);
      }
      assertThat(rows).as("the input is not changed").isEqualTo(rows());
    }
  }

  @ParameterizedTest
  @EnumSource(Engine.class)
  void prefix_everyWidth_isTheStartOfTheWhole(Engine engine) throws IOException {
    float[] x = {1, -1, 2, 0.5f, 0, 1, -2, 1, 3, 0, 1, 1, 2, -1, 0, 1};
    try (SAE sae = CaseFolder.load("jumprelu", LoadOptions.defaults().engine(engine))) {
      SparseLatents whole = sae.encodeSparse(x);
      for (int width = 1; width <= CaseFolder.D_SAE; width++) {
        try (SAE view = sae.prefix(width)) {
          SparseLatents cut = whole.range(0, width);
          SparseLatents latents = view.encodeSparse(x);
          assertThat(latents.width()).isEqualTo(width);
          assertThat(latents.latents()).isEqualTo(cut.latents());
          DemoReferenceTest.assertClose(latents.activations(), cut.activations());
          DemoReferenceTest.assertClose(view.decode(latents), sae.decode(cut));
          assertThat(view.thresholds()).isEqualTo(Arrays.copyOf(sae.thresholds(), width));
          assertThat(view.encoderBias()).isEqualTo(Arrays.copyOf(sae.encoderBias(), width));
        }
      }
    }
  }

  @Test
  void prefix_ofAPrefix_outlivesIt() throws IOException {
    try (SAE sae = DemoData.sae(LoadOptions.defaults())) {
      SAE middle = sae.prefix(512);
      SAE inner = middle.prefix(100);
      middle.close();

      assertThat(inner.isClosed()).isFalse();
      assertThat(inner.widths()).containsExactly(32, 100);
      SparseLatents expected = sae.encodeSparse(rows()).range(0, 100);
      assertThat(inner.encodeSparse(rows()).latents()).isEqualTo(expected.latents());
      DemoReferenceTest.assertClose(
          inner.encodeSparse(rows()).activations(), expected.activations());
      DemoReferenceTest.assertClose(inner.decode(inner.encodeSparse(rows())), sae.decode(expected));
    }
  }

  @Test
  void results_ofAClosedSae_stay() throws IOException {
    try (NDManager manager = NDManager.newBaseManager(Device.cpu())) {
      NDArray reconstruction;
      NDArray[] nested;
      float[] expected;
      try (SAE sae = DemoData.sae(LoadOptions.defaults())) {
        NDArray x = manager.create(rows(), new Shape(ROWS, DemoData.D_IN));
        reconstruction = sae.forward(x);
        nested = sae.reconstructions(x);
        expected = reconstruction.toFloatArray();
      }
      System.gc();
      assertThat(reconstruction.toFloatArray()).isEqualTo(expected);
      DemoReferenceTest.assertClose(nested[3].toFloatArray(), expected);
      assertThat(nested[0].getManager()).isEqualTo(manager);
    }
  }
}
