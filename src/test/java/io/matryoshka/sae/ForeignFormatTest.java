package io.matryoshka.sae;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.matryoshka.sae.config.SaeFormatException;
import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.safetensors.SafetensorsWriter;
import io.matryoshka.sae.support.HandSae;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** SAEs of other programs, and files of other kinds where an SAE's should be. */
class ForeignFormatTest {

  @TempDir private Path folder;

  @Test
  void load_folderOfAFormatThatIsNotRead_namesTheProgram() throws IOException {
    Files.createFile(folder.resolve("hyperparams.json"));
    assertThatThrownBy(() -> SAE.load(folder))
        .isInstanceOf(SaeFormatException.class)
        .hasMessageContainingAll(
            folder.toString(), "in the format of Llama Scope", "to convert it");
  }

  @ParameterizedTest
  @ValueSource(strings = {"params.safetensors", "params.npz", "ae.pt"})
  void load_weightsOfAReadFormatThatAreEmpty_namesTheFile(String file) throws IOException {
    Files.createFile(folder.resolve(file));
    assertThatThrownBy(() -> SAE.load(folder))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(folder.resolve(file).toString());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{\"expansion_factor\": 8, \"num_latents\": 4, \"k\": 2, \"d_in\": 2}; sparsify",
        "{\"architecture\": \"jump_relu\", \"hf_hook_point_in\": \"model\"}; Gemma Scope",
        "{\"trainer\": {\"dict_class\": \"MatryoshkaBatchTopKSAE\"}}; dictionary_learning"
      })
  void load_otherConfig_namesTheProgram(String config, String program) throws IOException {
    Files.writeString(folder.resolve("cfg.json"), config);
    Files.createFile(folder.resolve("sae_weights.safetensors"));
    assertThatThrownBy(() -> SAE.load(folder))
        .isInstanceOf(SaeFormatException.class)
        .hasMessageContainingAll("cfg.json", "in the format of " + program);
  }

  @Test
  void load_tensorsOfDictionaryLearning_saysHowToConvert() throws IOException {
    HandSae.write(folder, "none", new float[][] {{1, 0}, {0, 1}});
    try (SafetensorsWriter writer =
        SafetensorsWriter.builder()
            .tensor("W_enc", Dtype.F32, 2, 2)
            .tensor("W_dec", Dtype.F32, 2, 2)
            .tensor("b_enc", Dtype.F32, 2)
            .tensor("b_dec", Dtype.F32, 2)
            .tensor("threshold", Dtype.F32)
            .tensor("k", Dtype.F32)
            .tensor("group_sizes", Dtype.F32, 2)
            .create(folder.resolve("sae_weights.safetensors"))) {
      for (String name : List.of("W_enc", "W_dec")) {
        writer.writeFloats(name, new float[4]);
      }
      for (String name : List.of("b_enc", "b_dec", "group_sizes")) {
        writer.writeFloats(name, new float[2]);
      }
      writer.writeFloats("threshold", new float[1]);
      writer.writeFloats("k", new float[1]);
      writer.finish();
    }
    assertThatThrownBy(() -> SAE.load(folder))
        .isInstanceOf(SaeFormatException.class)
        .hasMessageContainingAll("dictionary_learning", "running sums of group_sizes");
  }

  @ParameterizedTest
  @CsvSource({"cfg.json", "sae_weights.safetensors"})
  void load_lfsPointer_isNamed(String file) throws IOException {
    HandSae.write(folder, "none", new float[][] {{1, 0}, {0, 1}});
    Files.writeString(
        folder.resolve(file), "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n");
    assertThatThrownBy(() -> SAE.load(folder))
        .hasMessageContainingAll(file, "a Git LFS pointer, not the file itself", "git lfs pull");
  }

  @Test
  void load_configWithNaN_isRead() throws IOException {
    HandSae.write(folder, "none", new float[][] {{1, 0}, {0, 1}});
    Path config = folder.resolve("cfg.json");
    String text = Files.readString(config);
    Files.writeString(
        config, text.replace("\"d_in\"", "\"l0\": NaN, \"loss\": -Infinity, \"d_in\""));
    try (SAE sae = SAE.load(folder, LoadOptions.defaults().preparedCache(false))) {
      assertThat(sae.encodeSparse(new float[] {3, 0}).activation(0, 0)).isEqualTo(3);
      assertThat(sae.config().metadata())
          .containsEntry("l0", Double.NaN)
          .containsEntry("loss", Double.NEGATIVE_INFINITY);
    }
    Files.writeString(config, text.replace("\"d_in\": 2", "\"d_in\": NaN"));
    assertThatThrownBy(() -> SAE.load(folder)).hasMessageContaining("d_in");
  }
}
