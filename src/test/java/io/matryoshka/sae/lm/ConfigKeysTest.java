package io.matryoshka.sae.lm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.matryoshka.sae.support.CapturedLog;
import io.matryoshka.sae.support.MiniLm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** No key of a configuration is passed over in silence. */
class ConfigKeysTest {

  private static final Path BERT_FILE = MiniLm.folder().resolve("config.json");

  @TempDir private Path folder;

  private static Stream<Path> published() {
    return Stream.of(
        BERT_FILE,
        Bookworm.MODEL.resolve("config.json"),
        ReferenceModel.folder("gemma2").resolve("config.json"),
        ReferenceModel.folder("gemma2").resolve("config-transformers5.json"),
        ReferenceModel.folder("gemma3").resolve("config.json"),
        ReferenceModel.folder("gemma3").resolve("config-transformers5.json"),
        ReferenceModel.folder("gemma3-bf16-sharded").resolve("config.json"),
        ReferenceModel.folder("gemma3-multimodal").resolve("config.json"));
  }

  @ParameterizedTest
  @MethodSource("published")
  void configurations_asTransformersWritesThem_areReadWithoutAWord(Path file) throws IOException {
    try (CapturedLog log = CapturedLog.start()) {
      LanguageModelConfig.read(file);
      assertThat(log.text()).isEmpty();
    }
  }

  @Test
  void configuration_isReadAsPythonReadsIt() throws IOException {
    Path file = Bookworm.MODEL.resolve("config.json");
    LanguageModelConfig plain = LanguageModelConfig.read(file);
    // Of a key that stands there twice the last one counts; NaN stands where nothing was set.
    assertThat(LanguageModelConfig.read(with(file, "\"vocab_size\": 1, \"warp\": NaN")))
        .isEqualTo(plain);
    Path twice = Files.writeString(folder.resolve("config.json"), Files.readString(file) + "{}");
    assertThatThrownBy(() -> LanguageModelConfig.read(twice))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContainingAll("config.json", "one JSON value was expected, and more follows it");
  }

  private Path with(Path file, String keys) throws IOException {
    return Files.writeString(
        folder.resolve("config.json"),
        Files.readString(file).replaceFirst("\\{", "{" + keys + ", "));
  }

  @Test
  void unknownKeys_areSaidOnce_thoseThatTurnSomethingOffAreNot() throws IOException {
    String keys =
        "\"warp\": 3, \"weft\": \"on\", \"no_warp\": false, \"no_weft\": null, \"none\": []";
    for (Path file : new Path[] {BERT_FILE, Bookworm.MODEL.resolve("config.json")}) {
      Path edited = with(file, keys);
      LanguageModelConfig plain = LanguageModelConfig.read(file);
      try (CapturedLog log = CapturedLog.start()) {
        assertThat(LanguageModelConfig.read(edited)).isEqualTo(plain);
        assertThat(log.text())
            .containsOnlyOnce("config.json")
            .contains("the keys warp, weft are not known");
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"quantization_config\": {\"bits\": 4} | quantization_config",
        "\"auto_map\": {\"AutoModel\": \"modeling.Other\"} | auto_map",
        "\"pruned_heads\": {\"0\": [1]} | pruned_heads"
      })
  void keysThatChangeTheArithmetic_areRefusedByName_inEveryFamily(String key, String named)
      throws IOException {
    for (Path file : published().toList()) {
      Path edited = with(file, key);
      assertThatThrownBy(() -> LanguageModelConfig.read(edited))
          .isInstanceOf(ModelFormatException.class)
          .hasMessageContaining(named)
          .hasMessageContaining("expected none");
    }
  }

  @Test
  void embeddingGemma_whoseAttentionSeesAhead_isRefused() throws IOException {
    String key = "\"use_bidirectional_attention\": ";
    String text = Files.readString(Bookworm.MODEL.resolve("config.json"));
    assertThat(text).contains(key + "false");
    Path edited =
        Files.writeString(folder.resolve("config.json"), text.replace(key + "false", key + "true"));
    assertThatThrownBy(() -> LanguageModelConfig.read(edited))
        .hasMessageContaining("use_bidirectional_attention: expected false, got true");
  }
}
