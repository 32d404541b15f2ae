package io.matryoshka.sae.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SaeEntryTest {

  @Test
  void neuronpediaUrl_knownThere_namesLatent() {
    assertThat(entry(List.of(4, 8)).neuronpediaUrl(7))
        .contains(URI.create("https://www.neuronpedia.org/gpt2/5-res/7"));
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 8})
  void neuronpediaUrl_latentOutOfRange_isRefused(int latent) {
    SaeEntry sae = entry(List.of(4, 8));

    assertThatThrownBy(() -> sae.neuronpediaUrl(latent))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("latent: expected 0 to 7 for SAE 'five' of release 'mine', got " + latent);
  }

  @Test
  void widths_areCopied() {
    List<Integer> widths = new ArrayList<>(List.of(4, 8));
    SaeEntry sae = entry(widths);
    widths.clear();

    assertThat(sae.widths()).containsExactly(4, 8);
  }

  @Test
  void release_holdingSaeOfAnother_isRefused() {
    List<SaeEntry> saes = List.of(entry(List.of(8)));

    assertThatThrownBy(
            () -> new Release("other", "A test.", "gpt2", Optional.empty(), Optional.empty(), saes))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("saes: expected SAEs of release 'other', got 'five' of release 'mine'");
  }

  @Test
  void hub_topOfRepositoryAtMain_isAllowed() {
    SaeLocation.Hub hub = new SaeLocation.Hub("owner/name", "");

    assertThat(hub.path()).isEmpty();
    assertThat(hub.revision()).isEqualTo("main");
  }

  @Test
  void hub_blankRevision_isRefused() {
    assertThatThrownBy(() -> new SaeLocation.Hub("owner/name", "", " "))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("revision: expected a branch, tag or commit");
  }

  @Test
  void bundled_emptyFolder_isRefused() {
    assertThatThrownBy(() -> new SaeLocation.Bundled(""))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("a bundled SAE needs a folder");
  }

  @Test
  void bundledResource_outOfFolder_isRefused() {
    SaeLocation.Bundled folder = new SaeLocation.Bundled("demo");

    assertThatThrownBy(() -> folder.resource("../index.json"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("got '../index.json'");
  }

  private static SaeEntry entry(List<Integer> widths) {
    return new SaeEntry(
        "mine",
        "five",
        new SaeLocation.Bundled("demo"),
        OptionalInt.of(5),
        "blocks.5.hook",
        Optional.empty(),
        SaeEntry.DEFAULT_FORMAT,
        4,
        8,
        widths,
        OptionalInt.empty(),
        OptionalDouble.empty(),
        Optional.of("gpt2/5-res"),
        OptionalDouble.empty(),
        Optional.empty());
  }
}
