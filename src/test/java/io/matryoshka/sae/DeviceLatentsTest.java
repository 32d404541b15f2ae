package io.matryoshka.sae;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.NativeMemory.Live;
import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Latents as native arrays, with every engine. */
class DeviceLatentsTest {

  private static final float[] X = {1, -1, 2, 0.5f, 0, 1, -2, 1, 3, 0, 1, 1, 2, -1, 0, 1};

  static Stream<LoadOptions> engines() {
    LoadOptions options = LoadOptions.defaults();
    return Stream.of(
        options,
        options.engine(LoadOptions.Engine.REFERENCE),
        options.withAcceleratorEngine(0),
        options.withAcceleratorEngine(Long.MAX_VALUE));
  }

  private static NDArray x(NDManager manager) {
    return manager.create(X, new Shape(1, 2, CaseFolder.D_IN));
  }

  @ParameterizedTest
  @MethodSource("engines")
  void encodeOnDevice_result_isEncodeSparse(LoadOptions options) throws IOException {
    try (SAE sae = CaseFolder.load("jumprelu", options);
        NDManager manager = NDManager.newBaseManager(Device.cpu())) {
      SparseLatents expected = sae.encodeSparse(x(manager));
      DeviceLatents latents = sae.encodeOnDevice(x(manager));
      assertThat(latents.rows()).isEqualTo(2);
      assertThat(latents.width()).isEqualTo(CaseFolder.D_SAE);
      assertThat(latents.leadingShape()).containsExactly(1, 2);
      assertThat(latents.activeCount()).isEqualTo(expected.activeCount()).isPositive();
      assertThat(latents.rowOffsets().getDataType()).isEqualTo(DataType.INT64);
      assertThat(latents.latents().getDataType()).isEqualTo(DataType.INT64);
      assertThat(latents.activations().getManager()).isEqualTo(manager);
      assertThat(latents.activations().toFloatArray()).isEqualTo(expected.activations());
      assertThat(latents.toHost().latents()).isEqualTo(expected.latents());
      assertThat(latents.toHost().rowOffsets()).isEqualTo(expected.rowOffsets());
      assertThat(latents.toDense()).isEqualTo(expected.toDense(manager));
      assertThat(latents)
          .hasToString("DeviceLatents[rows=2, width=24, active=" + expected.activeCount() + "]");
    }
  }

  @ParameterizedTest
  @MethodSource("engines")
  void encodeOnDevice_ofAPrefix_fitsTheWhole(LoadOptions options) throws IOException {
    try (SAE sae = CaseFolder.load("jumprelu", options);
        SAE prefix = sae.prefix(11);
        NDManager manager = NDManager.newBaseManager(Device.cpu())) {
      DeviceLatents narrow = prefix.encodeOnDevice(x(manager), Selection.topK(2));
      SparseLatents expected = prefix.encodeSparse(x(manager), Selection.topK(2));
      assertThat(narrow.toHost().latents()).isEqualTo(expected.latents());
      DemoReferenceTest.assertClose(sae.decode(narrow).toFloatArray(), sae.decode(expected));
      DeviceLatents wide = sae.encodeOnDevice(x(manager));
      assertThatThrownBy(() -> prefix.decode(wide))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("latents of width 24 do not fit an SAE of width 11");
      DeviceLatents kept = wide.toHost().range(0, 11).toDevice(manager);
      assertThat(prefix.decode(kept).getShape()).isEqualTo(new Shape(1, 2, CaseFolder.D_IN));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "normalize-layer-norm",
        "normalize-constant-norm-rescale",
        "topk-rescaled",
        "dtype-float64",
        "hook-z"
      })
  void decode_everyKindOfSae_isThatOfHostLatents(String name) throws IOException {
    try (SAE sae = CaseFolder.load(name, LoadOptions.defaults());
        NDManager manager = NDManager.newBaseManager(Device.cpu())) {
      DeviceLatents latents = sae.encodeOnDevice(x(manager));
      SparseLatents host = latents.toHost();
      NDArray expected = sae.decode(host, manager);
      for (DeviceLatents f : List.of(latents, host.toDevice(manager))) {
        NDArray decoded = sae.decode(f);
        assertThat(decoded.getShape()).isEqualTo(expected.getShape());
        assertThat(decoded.getDataType()).isEqualTo(expected.getDataType());
        DemoReferenceTest.assertClose(floats(decoded), floats(expected));
      }
      DemoReferenceTest.assertClose(floats(sae.reconstructions(latents)[0]), floats(expected));
    }
  }

  private static float[] floats(NDArray array) {
    return array.toType(DataType.FLOAT32, false).toFloatArray();
  }

  @Test
  void reconstructions_demo_areThoseOfHostLatents() throws IOException {
    try (SAE sae = DemoData.sae(LoadOptions.defaults());
        NDManager manager = NDManager.newBaseManager(Device.cpu())) {
      NDArray x = manager.create(DemoData.activations(), new Shape(DemoData.ROWS, DemoData.D_IN));
      NDArray[] nested = sae.reconstructions(sae.encodeOnDevice(x));
      float[][] expected = sae.reconstructions(sae.encodeSparse(x));
      assertThat(nested).hasSize(DemoData.WIDTHS.length);
      for (int level = 0; level < nested.length; level++) {
        DemoReferenceTest.assertClose(nested[level].toFloatArray(), expected[level]);
      }
    }
  }

  @Test
  void decode_noActiveLatents_isTheBias() throws IOException {
    try (SAE sae = CaseFolder.load("jumprelu", LoadOptions.defaults());
        NDManager manager = NDManager.newBaseManager(Device.cpu())) {
      SparseLatents none = SparseLatents.of(new int[3], new int[0], new float[0], 24);
      DeviceLatents latents = none.toDevice(manager);
      assertThat(latents.activeCount()).isZero();
      assertThat(sae.decode(latents).get(1).toFloatArray()).isEqualTo(sae.decoderBias());
      assertThat(latents.toDense().sum().getFloat()).isZero();
      assertThat(latents.toHost().rowOffsets()).isEqualTo(new int[3]);
      assertThat(sae.prefix(3).reconstructions(latents)).hasSize(sae.prefix(3).widths().size());
    }
  }

  @Test
  void decode_latentsOfAnotherKindOfSae_isRefused() throws IOException {
    try (SAE sae = CaseFolder.load("jumprelu", LoadOptions.defaults());
        SAE normalising = CaseFolder.load("normalize-layer-norm", LoadOptions.defaults());
        SAE demo = DemoData.sae(LoadOptions.defaults());
        NDManager manager = NDManager.newBaseManager(Device.cpu())) {
      DeviceLatents latents = sae.encodeOnDevice(x(manager));
      assertThatThrownBy(() -> normalising.decode(latents))
          .hasMessageContaining("normalises each token");
      assertThatThrownBy(() -> demo.reconstructions(latents)).hasMessageContaining("d_in = 384");
    }
  }

  @ParameterizedTest
  @MethodSource("engines")
  void close_latents_releasesWhatTheyHold(LoadOptions options) throws IOException {
    try (SAE sae = CaseFolder.load("normalize-layer-norm", options);
        NDManager manager = NDManager.newBaseManager(Device.cpu())) {
      NDArray x = x(manager);
      try (NDManager first = manager.newSubManager()) {
        DeviceLatents latents = sae.encodeOnDevice(x(first)); // What is made once is made here.
        sae.reconstructions(latents);
        latents.toDense();
      }
      Live before = NativeMemory.live(manager);
      DeviceLatents latents = sae.encodeOnDevice(x);
      sae.decode(latents).close();
      latents.toDense().close();
      latents.toHost();
      latents.close();
      latents.close();
      try (NDManager child = manager.newSubManager()) {
        DeviceLatents moved = sae.encodeOnDevice(x);
        moved.attach(child);
        sae.reconstructions(moved);
        assertThatThrownBy(() -> sae.encodeOnDevice(child.ones(new Shape(3))))
            .isInstanceOf(IllegalArgumentException.class);
      }
      assertThat(NativeMemory.live(manager)).isEqualTo(before);
    }
  }

  @Test
  void calls_onAClosedSae_sayThatItIsClosed() throws IOException {
    try (NDManager manager = NDManager.newBaseManager(Device.cpu())) {
      SAE sae = CaseFolder.load("jumprelu", LoadOptions.defaults());
      DeviceLatents latents = sae.encodeOnDevice(x(manager));
      sae.close();
      assertThat(latents.toHost().rows()).isEqualTo(2);
      assertThatThrownBy(() -> sae.decode(latents)).isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(() -> sae.encodeOnDevice(x(manager)))
          .isInstanceOf(IllegalStateException.class);
    }
  }
}
