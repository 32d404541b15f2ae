package io.matryoshka.sae.lm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** Contexts as SAELens' {@code concat_and_batch_sequences} packs them, worked by hand. */
class ContextPackerTest {

  private static final OptionalInt BOS = OptionalInt.of(2);

  private static List<Tokens> pack(PackingOptions options, Tokens... documents) {
    ContextPacker packer = new ContextPacker(options);
    List<Tokens> contexts = new ArrayList<>();
    for (Tokens document : documents) {
      contexts.addAll(packer.add(document));
    }
    packer.rest().ifPresent(contexts::add);
    return contexts;
  }

  @Test
  void documents_areCutAndSeparated() {
    assertThat(pack(new PackingOptions(4, BOS, BOS), Tokens.of(5, 6), Tokens.of(7, 8, 9)))
        .containsExactly(Tokens.of(2, 5, 6, 2), Tokens.of(2, 7, 8, 9));
  }

  @Test
  void longDocument_getsBosInFrontOfEachContext() {
    assertThat(pack(new PackingOptions(3, BOS, BOS), Tokens.of(5, 6, 7, 8, 9)))
        .containsExactly(Tokens.of(2, 5, 6), Tokens.of(2, 7, 8), Tokens.of(2, 9));
  }

  @Test
  void bosThatIsThere_isNotDoubled() {
    assertThat(pack(new PackingOptions(6, BOS, BOS), Tokens.of(2, 5), Tokens.of(2, 6)))
        .containsExactly(Tokens.of(2, 5, 2, 6));
  }

  @Test
  void withoutBos_documentsFollowEachOther() {
    PackingOptions options = new PackingOptions(3, OptionalInt.empty(), OptionalInt.empty());
    assertThat(pack(options, Tokens.of(5, 6), Tokens.of(7, 8)))
        .containsExactly(Tokens.of(5, 6, 7), Tokens.of(8));
  }

  @Test
  void packedTokens_keepTheirTexts() throws IOException {
    try (LanguageModel model = Bookworm.model()) {
      ContextPacker packer = model.packer(new PackingOptions(6, BOS, BOS));
      Tokens context = packer.add(model.tokensWithoutBos("the whole building complained")).get(0);
      assertThat(context.pieces().get(0)).isEqualTo("<bos>");
      assertThat(context.pieces().subList(1, 6))
          .isEqualTo(
              model.tokensWithoutBos("the whole building complained").pieces().subList(0, 5));
    }
  }

  @Test
  void idsWithoutTexts_areNamedByTheirNumber() {
    assertThat(pack(new PackingOptions(4, BOS, BOS), Tokens.of(5, 6)).get(0).pieces())
        .containsExactly("<2>", "<5>", "<6>");
  }

  @Test
  void contextOfOneToken_isRefused() {
    assertThatThrownBy(() -> new PackingOptions(1, BOS, BOS))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("at least 2");
  }
}
