package io.matryoshka.sae.lm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.matryoshka.sae.SAE;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/** Which model belongs to an SAE. */
class ModelOfSaeTest {

  @Test
  void bundledSae_bringsItsModel() throws IOException {
    try (SAE sae = SAE.fromPretrained(Bookworm.RELEASE, Bookworm.SAE_ID);
        LanguageModel model = LanguageModel.of(sae)) {
      assertThat(model.config().hiddenSize()).isEqualTo(sae.dIn());
      assertThat(HookPoint.of(sae)).isEqualTo(Bookworm.HOOK);
    }
  }

  @Test
  void releaseName_isAModelName() throws IOException {
    try (LanguageModel model =
        LanguageModel.fromPretrained("bookworm-3m", LanguageModelOptions.defaults())) {
      assertThat(model.config().layerCount()).isEqualTo(8);
    }
  }

  @Test
  void unknownName_isRefusedWithKnownOnes() {
    assertThatThrownBy(() -> LanguageModel.fromPretrained("gemma", LanguageModelOptions.defaults()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("'gemma'")
        .hasMessageContaining("bookworm-3m");
  }

  @Test
  void saeOfAnotherWidth_isRefusedNamingBoth() throws IOException {
    try (SAE sae = SAE.fromPretrained(Bookworm.RELEASE, Bookworm.SAE_ID);
        LanguageModel model = LanguageModel.load(ReferenceModel.folder("gemma3"))) {
      assertThatThrownBy(() -> model.losses(Tokens.of(2, 5), Intervention.splice(sae)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("bookworm-3m")
          .hasMessageContaining("d_in 128")
          .hasMessageContaining("gemma3")
          .hasMessageContaining("48");
    }
  }

  @Test
  void saeOfAnEncoder_isRefusedByADecoderOfAnotherWidth() throws IOException {
    try (SAE sae = SAE.fromPretrained("all-minilm-l6-v2-matryoshka-demo", "last_hidden_state");
        LanguageModel model = LanguageModel.load(ReferenceModel.folder("gemma3"))) {
      assertThatThrownBy(() -> model.losses(Tokens.of(2, 5), Intervention.splice(sae)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("all-MiniLM-L6-v2")
          .hasMessageContaining("last_hidden_state")
          .hasMessageContaining("48");
    }
  }

  @Test
  void unknownHookPoint_isRefusedWithExamples() {
    assertThatThrownBy(() -> HookPoint.parse("sentence_embedding"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("'sentence_embedding'")
        .hasMessageContaining("last_hidden_state");
  }
}
