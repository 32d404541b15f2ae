package io.matryoshka.sae;

import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import ai.djl.Device;
import io.matryoshka.sae.CaseFolder.Tensor;
import io.matryoshka.sae.config.SaeFormatException;
import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.safetensors.SafetensorsException;
import io.matryoshka.sae.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Folders and weight files that are not those of an SAE, or not of the SAE of their cfg.json. */
class BadFilesTest {

  @TempDir Path folder;

  static Stream<Arguments> wrongTensors() {
    return Stream.of(
        tensors(t -> t.remove("b_enc"), "missing [b_enc], unexpected []"),
        tensors(t -> t.remove("threshold"), "missing [threshold]", "check the architecture"),
        tensors(
            t -> t.put("b_mag", Tensor.zeros(Dtype.F32, 24)),
            "a jumprelu SAE has the tensors [W_enc, W_dec, b_enc, b_dec, threshold]",
            "missing [], unexpected [b_mag]"),
        tensors(
            t -> t.put("W_enc", t.get("W_dec")),
            "tensor W_enc: expected shape [8, 24] from cfg.json (d_in 8, d_sae 24), got [24, 8]",
            "must be of the same SAE"),
        tensors(
            t -> t.put("b_dec", Tensor.zeros(Dtype.F32, 9)),
            "tensor b_dec: expected shape [8]",
            "got [9]"),
        tensors(
            t -> t.put("threshold", Tensor.zeros(Dtype.F32)),
            "tensor threshold: expected shape [24]",
            "got []"),
        tensors(
            t -> t.put("b_enc", Tensor.zeros(Dtype.I32, 24)),
            "tensor b_enc: expected a floating type (F32, F64, F16, BF16), got I32",
            "save the weights in one of these"),
        tensors(
            t -> t.put("scaling_factor", Tensor.zeros(Dtype.F32, 24)),
            "tensor scaling_factor must be all ones, got 0.0",
            "multiply it into W_dec"));
  }

  private static Arguments tensors(Consumer<Map<String, Tensor>> change, String... messages) {
    return Arguments.of(change, List.of(messages));
  }

  @ParameterizedTest(name = "{1}")
  @MethodSource("wrongTensors")
  void load_wrongTensors_namesThem(Consumer<Map<String, Tensor>> change, List<String> messages)
      throws IOException {
    CaseFolder.copy("jumprelu", folder).weights(change);

    assertThatThrownBy(() -> SAE.load(folder))
        .isInstanceOf(SaeFormatException.class)
        .hasMessageStartingWith(folder.resolve("sae_weights.safetensors").toString())
        .message()
        .contains(messages);
  }

  @Test
  void load_scalingFactorOfNaN_isRefused() throws IOException {
    byte[] bytes = new byte[24 * 4];
    Arrays.fill(bytes, (byte) 0xff);
    CaseFolder.copy("standard", folder)
        .weights(t -> t.put("scaling_factor", new Tensor(Dtype.F32, new long[] {24}, bytes)));

    assertThatThrownBy(() -> SAE.load(folder)).hasMessageContaining("must be all ones, got NaN");
  }

  @Test
  void load_truncatedWeights_saysSo() throws IOException {
    CaseFolder.copy("jumprelu", folder);
    Path weights = folder.resolve("sae_weights.safetensors");
    byte[] bytes = Files.readAllBytes(weights);
    for (int length : new int[] {0, 5, 100, bytes.length - 1}) {
      Files.write(weights, Arrays.copyOf(bytes, length));
      assertThatThrownBy(() -> SAE.load(folder))
          .isInstanceOf(SafetensorsException.class)
          .hasMessageStartingWith(weights.toString());
    }
    Files.write(weights, Arrays.copyOf(bytes, bytes.length - 1));
    assertThatThrownBy(() -> SAE.load(folder)).hasMessageContaining("truncated");
  }

  @Test
  void load_unknownTensorType_saysSo() throws IOException {
    CaseFolder.copy("jumprelu", folder);
    Path weights = folder.resolve("sae_weights.safetensors");
    String text = Files.readString(weights, StandardCharsets.ISO_8859_1);
    Files.writeString(weights, text.replace("\"F32\"", "\"F99\""), StandardCharsets.ISO_8859_1);

    assertThatThrownBy(() -> SAE.load(folder))
        .isInstanceOf(SafetensorsException.class)
        .hasMessageContaining("F99");
  }

  @Test
  void load_wrongSparsityFile_saysWhatItNeeds() throws IOException {
    CaseFolder.copy("jumprelu", folder);
    Path sparsity = folder.resolve("sparsity.safetensors");
    for (int length : new int[] {23, 25}) {
      try (SafetensorsWriter writer =
          SafetensorsWriter.builder().tensor("sparsity", Dtype.F32, length).create(sparsity)) {
        writer.writeFloats("sparsity", new float[length]);
        writer.finish();
      }
      assertThatThrownBy(() -> SAE.load(folder))
          .isInstanceOf(SaeFormatException.class)
          .hasMessageContaining("tensor sparsity must have d_sae = 24 entries, got " + length);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"cfg.json", "sae_weights.safetensors"})
  void load_missingFile_namesIt(String name) throws IOException {
    CaseFolder.copy("jumprelu", folder);
    Files.delete(folder.resolve(name));

    assertThatThrownBy(() -> SAE.load(folder))
        .isInstanceOf(NoSuchFileException.class)
        .hasMessageContaining(folder.resolve(name).toString())
        .hasMessageContaining("an SAE folder holds cfg.json and sae_weights.safetensors");
  }

  @Test
  void load_noFolder_saysWhatIsExpected() throws IOException {
    assertThatThrownBy(() -> SAE.load(folder.resolve("none")))
        .isInstanceOf(NoSuchFileException.class)
        .hasMessageContaining("none")
        .hasMessageContaining("expected a folder with cfg.json and sae_weights.safetensors");
    Path file = Files.createFile(folder.resolve("file"));
    assertThatThrownBy(() -> SAE.load(file))
        .isInstanceOf(NotDirectoryException.class)
        .hasMessageContaining("expected the folder that holds cfg.json");
    Path inPlaceOfAFile = Files.createDirectories(folder.resolve("sae"));
    CaseFolder.copy("jumprelu", inPlaceOfAFile);
    Files.delete(inPlaceOfAFile.resolve("cfg.json"));
    Files.createDirectory(inPlaceOfAFile.resolve("cfg.json"));
    assertThatThrownBy(() -> SAE.load(inPlaceOfAFile))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("cfg.json");
  }

  @Test
  void load_unreadableFolder_saysSo() throws IOException {
    CaseFolder.copy("jumprelu", folder);
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("---------"));
    try {
      assumeFalse(Files.isReadable(folder), "this user may read everything");
      assertThatThrownBy(() -> SAE.load(folder))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("not readable");
    } finally {
      Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
    }
  }

  @Test
  void load_deviceThatIsNotThere_saysHowManyThereAre() {
    LoadOptions options = LoadOptions.defaults().device(Device.gpu(99));

    assertThatThrownBy(() -> CaseFolder.load("jumprelu", options))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("is not there: the engine sees")
        .hasMessageContaining("use Device.cpu()");
  }

  @Test
  void load_optionsOutOfRange_areRefused() {
    LoadOptions options = LoadOptions.defaults();

    assertThatThrownBy(() -> options.prefix(0))
        .hasMessage("prefix width must be at least 1, got 0");
    assertThatThrownBy(() -> CaseFolder.load("jumprelu", options.prefix(25)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("prefix width must lie in 1..24, got 25");
    assertThatThrownBy(() -> options.dtype(Dtype.I32))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("dtype must be F32, F64, F16 or BF16, got I32");
    for (List<Integer> widths : List.of(List.of(0), List.of(5, 5), List.of(5, 25))) {
      assertThatThrownBy(() -> CaseFolder.load("jumprelu", options.widths(widths)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("widths must rise from at least 1 to d_sae = 24, got " + widths);
    }
  }
}
