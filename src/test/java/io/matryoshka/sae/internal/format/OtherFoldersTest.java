package io.matryoshka.sae.internal.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.matryoshka.sae.ActiveLatent;
import io.matryoshka.sae.LoadOptions;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.config.Architecture;
import io.matryoshka.sae.config.SaeFormatException;
import io.matryoshka.sae.config.UnsupportedArchitectureException;
import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Folders of other programs with tiny numbers worked by hand, and folders that are refused. */
class OtherFoldersTest {

  private static final Path FORMATS = Path.of("src/test/resources/formats");
  private static final LoadOptions OPTIONS = LoadOptions.defaults().preparedCache(false);

  @TempDir private Path folder;

  private record Tensor(float[] values, long... shape) {}

  private static void write(Path file, Map<String, Tensor> tensors) throws IOException {
    SafetensorsWriter.Builder builder = SafetensorsWriter.builder();
    tensors.forEach((name, tensor) -> builder.tensor(name, Dtype.F32, tensor.shape()));
    try (SafetensorsWriter writer = builder.create(file)) {
      for (Map.Entry<String, Tensor> tensor : tensors.entrySet()) {
        writer.writeFloats(tensor.getKey(), tensor.getValue().values());
      }
      writer.finish();
    }
  }

  private static Tensor tensor(long[] shape, float... values) {
    return new Tensor(values, shape);
  }

  private static long[] shape(long... sizes) {
    return sizes;
  }

  @Test
  void sparsify_keepsTheLargestLatents() throws IOException {
    Path sae = Files.createDirectories(folder.resolve("layers.3.mlp"));
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    tensors.put("encoder.weight", tensor(shape(3, 2), 1, 0, 0, 1, 1, 1));
    tensors.put("encoder.bias", tensor(shape(3), 0, 0.5f, 0));
    tensors.put("W_dec", tensor(shape(3, 2), 1, 0, 0, 1, 0.5f, 0.5f));
    tensors.put("b_dec", tensor(shape(2), 1, 2));
    write(sae.resolve("sae.safetensors"), tensors);
    Files.writeString(
        sae.resolve("cfg.json"),
        "{\"expansion_factor\": 1, \"num_latents\": 3, \"k\": 1, \"d_in\": 2}");
    try (SAE read = SAE.load(sae, OPTIONS)) {
      // x - b_dec = (2, 1): pre-activations 2, 1.5 and 3, of which the largest stays.
      assertThat(read.encodeSparse(new float[] {3, 3}).strongest(0, 3))
          .containsExactly(new ActiveLatent(2, 3));
      assertThat(read.decode(read.encodeSparse(new float[] {3, 3}))).containsExactly(2.5f, 3.5f);
      assertThat(read.config().architecture()).isEqualTo(Architecture.TOPK);
      assertThat(read.hookPoint()).contains("layers.3.mlp");
    }
    Files.writeString(sae.resolve("cfg.json"), "{\"k\": 1, \"d_in\": 2, \"transcode\": true}");
    assertThatThrownBy(() -> SAE.load(sae, OPTIONS))
        .isInstanceOf(UnsupportedArchitectureException.class)
        .hasMessageContaining("a transcoder of sparsify");
  }

  private static Map<String, Tensor> scopeTensors() {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    tensors.put("w_enc", tensor(shape(2, 1), 1, 1));
    tensors.put("w_dec", tensor(shape(1, 2), 3, 4));
    tensors.put("b_enc", tensor(shape(1), 0));
    tensors.put("b_dec", tensor(shape(2), 1, 1));
    tensors.put("threshold", tensor(shape(1), 1.5f));
    return tensors;
  }

  private Path gemmaScope(String name, String config) throws IOException {
    Path sae = Files.createDirectories(folder.resolve(name));
    write(sae.resolve("params.safetensors"), scopeTensors());
    if (!config.isEmpty()) {
      Files.writeString(sae.resolve("config.json"), config);
    }
    return sae;
  }

  @ParameterizedTest
  @CsvSource({
    "gemma-scope-2-4b-it/resid_post_all/layer_7_width_16k_l0_big, blocks.7.hook_resid_post",
    "gemma-scope-2-4b-it/attn_out/layer_9_width_65k_l0_small, blocks.9.attn.hook_z",
    "gemma-scope-2-4b-it/mlp_out/layer_0_width_1m_l0_medium, blocks.0.hook_mlp_out",
    "gemma-scope-2-4b-it/transcoder/layer_17_width_16k_l0_big,"
        + " model.layers.17.pre_feedforward_layernorm.output",
  })
  void gemmaScope_withoutConfig_isKnownByItsFolder(String name, String hook) throws IOException {
    try (SAE sae = SAE.load(gemmaScope(name, ""), OPTIONS)) {
      assertThat(sae.hookPoint()).contains(hook);
      assertThat(sae.isTranscoder()).isEqualTo(name.contains("transcoder"));
      assertThat(sae.config().modelName()).contains("gemma-3-4b-it");
      // b_dec is not subtracted: 1 + 1 is above the threshold.
      assertThat(sae.decode(sae.encodeSparse(new float[] {1, 1}))).containsExactly(7, 9);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"architecture\": \"topk\"} | architecture 'topk' is not supported",
        "{\"type\": \"crosscoder\"} | type 'crosscoder' is not supported",
        "{\"type\": \"clt\"} | type 'clt' is not supported",
      })
  void gemmaScope_ofAnotherKind_isRefusedByName(String config, String message) throws IOException {
    Path sae = gemmaScope("layer_1_width_16k", config);
    assertThatThrownBy(() -> SAE.load(sae, OPTIONS))
        .isInstanceOf(UnsupportedArchitectureException.class)
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"width\": 16384} | 'width' is 16384, but the tensors have 1 latents",
        "{\"affine_connection\": true} | 'affine_connection' is true, but the tensors do not hold",
      })
  void gemmaScope_whoseFilesDisagree_isRefusedByName(String config, String message)
      throws IOException {
    Path sae = gemmaScope("layer_1_width_16k", config);
    assertThatThrownBy(() -> SAE.load(sae, OPTIONS))
        .isInstanceOf(SaeFormatException.class)
        .hasMessageContaining("config.json")
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"type\": \"transcoder\", \"affine_connection\": false} | is false, but the tensors hold",
        "{\"type\": \"sae\"} | 'type' is sae, but the tensors hold 'affine_skip_connection'",
      })
  void gemmaScope_withASkipThatItsConfigDenies_isRefused(String config, String message)
      throws IOException {
    Path sae = gemmaScope("layer_1_width_16k", config);
    Map<String, Tensor> tensors = scopeTensors();
    tensors.put("affine_skip_connection", tensor(shape(2, 2), 1, 0, 0, 1));
    write(sae.resolve("params.safetensors"), tensors);
    assertThatThrownBy(() -> SAE.load(sae, OPTIONS))
        .isInstanceOf(SaeFormatException.class)
        .hasMessageContaining(message);
  }

  @Test
  void gemmaScope_whoseFilesAgree_isRead() throws IOException {
    String config = "{\"width\": 1, \"affine_connection\": false, \"type\": \"sae\"}";
    try (SAE sae = SAE.load(gemmaScope("layer_1_width_16k", config), OPTIONS)) {
      assertThat(sae.dSae()).isEqualTo(1);
    }
  }

  @Test
  void gemmaScope_withAnotherTensor_isRefused() throws IOException {
    Path sae = gemmaScope("layer_1_width_16k", "");
    write(sae.resolve("params.safetensors"), Map.of("w_enc", tensor(shape(2, 1), 1, 1)));
    assertThatThrownBy(() -> SAE.load(sae, OPTIONS))
        .isInstanceOf(SaeFormatException.class)
        .hasMessageContaining("has a tensor w_dec or W_dec")
        .hasMessageContaining("this file has [w_enc]");
  }

  @Test
  void dictionaryLearning_withoutConfig_isKnownByItsTensors() throws IOException {
    Path sae = Files.createDirectories(folder.resolve("trainer_0"));
    Files.copy(FORMATS.resolve("dictionary-learning-matryoshka/sae/ae.pt"), sae.resolve("ae.pt"));
    try (SAE read = SAE.load(sae, OPTIONS)) {
      assertThat(read.widths()).containsExactly(8, 32, 96);
      assertThat(read.config().k()).hasValue(20);
      assertThat(read.config().architecture()).isEqualTo(Architecture.BATCHTOPK);
      assertThat(read.hookPoint()).isEmpty();
    }
  }

  @Test
  void weights_thatAreAPointerOfGitLfs_areNamed() throws IOException {
    for (String name : new String[] {"ae.pt", "params.npz", "params.safetensors"}) {
      Path sae = Files.createDirectories(folder.resolve("of-" + name));
      Files.writeString(
          sae.resolve(name),
          "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 123456789\n");
      assertThatThrownBy(() -> SAE.load(sae, OPTIONS))
          .isInstanceOf(IOException.class)
          .hasMessageContaining(name)
          .hasMessageContaining("git lfs pull");
    }
  }

  @Test
  void dictionaryLearning_damaged_isRefused() throws IOException {
    Path sae = Files.createDirectories(folder.resolve("trainer_0"));
    byte[] bytes = Files.readAllBytes(FORMATS.resolve("dictionary-learning-matryoshka/sae/ae.pt"));
    Files.write(sae.resolve("ae.pt"), Arrays.copyOf(bytes, bytes.length - 100));
    assertThatThrownBy(() -> SAE.load(sae, OPTIONS))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("ae.pt");
  }
}
