package io.matryoshka.sae.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ReleaseRegistryTest {

  private static final String GEMMA = "gemma-2-2b-res-matryoshka-dc";

  @TempDir private Path folder;

  private final ReleaseRegistry registry = ReleaseRegistry.bundled();

  // ---- unknown releases ----

  @ParameterizedTest
  @CsvSource({
    "gemma-2-2b-res-matryoshka, gemma-2-2b-res-matryoshka-dc",
    "gemma2-2b-res-matryoshka-dc, gemma-2-2b-res-matryoshka-dc",
    "GEMMA-2-9B-RES-MATRYOSHKA-DC, gemma-2-9b-res-matryoshka-dc",
    "gemma-3-1b, gemma-3-1b-res-matryoshka-dc",
    "gemma-2-2b-snap, gemma-2-2b-res-snap-matryoshka-dc",
    "minilm, all-minilm-l6-v2-matryoshka-demo",
    "bookworm, bookworm-3m-res-matryoshka-demo",
  })
  void suggest_mistakenName_putsMeantReleaseFirst(String given, String meant) {
    assertThat(registry.suggest(given)).startsWith(meant).hasSizeLessThanOrEqualTo(3);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "zzz", "\u00e9\u00e9"})
  void suggest_nothingNear_isEmpty(String given) {
    assertThat(registry.suggest(given)).isEmpty();
  }

  @Test
  void release_unknown_namesNearestAndCount() {
    UnknownReleaseException thrown =
        catchThrowableOfType(
            UnknownReleaseException.class, () -> registry.release("gemma-2-2b-res"));

    assertThat(thrown)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "unknown release 'gemma-2-2b-res': did you mean 'gemma-2-2b-res-matryoshka-dc',"
                + " 'gemma-2-2b-res-snap-matryoshka-dc', 'gemma-scope-2-12b-pt-res'?"
                + " Number of known releases: 84.");
    assertThat(thrown.release()).isEqualTo("gemma-2-2b-res");
    assertThat(thrown.suggestions()).isEqualTo(registry.suggest("gemma-2-2b-res"));
  }

  @Test
  void release_nothingNear_namesFirstFew() {
    assertThatThrownBy(() -> registry.find("zzz", "x"))
        .isInstanceOf(UnknownReleaseException.class)
        .hasMessageContaining(
            "valid are, for example, 'gemma-2-2b-res-snap-matryoshka-dc',"
                + " 'gemma-2-2b-res-matryoshka-dc', 'gemma-2-9b-res-matryoshka-dc'.");
  }

  @Test
  void release_longNameWithControlCharacters_isShownShort() {
    assertThatThrownBy(() -> registry.release("\n" + "x".repeat(1_000_000)))
        .isInstanceOf(UnknownReleaseException.class)
        .hasMessageContaining("'?" + "x".repeat(199) + "...'")
        .hasMessageNotContaining("\n");
  }

  @Test
  void contains_tellsKnownFromUnknown() {
    assertThat(registry.contains(GEMMA)).isTrue();
    assertThat(registry.contains("owner/repo")).isFalse();
  }

  // ---- unknown SAEs ----

  @ParameterizedTest
  @ValueSource(
      strings = {
        "5",
        "layer 5",
        "layer_5",
        "Layer 5",
        "l5",
        "blocks.5",
        "blocks.5.hook_resid_pre",
        "standard/blocks.5.hook_resid_post",
        "layer_5/width_16k/average_l0_40",
      })
  void suggest_textThatNamesLayer_givesItsSae(String given) {
    assertThat(registry.release(GEMMA).suggest(given)).containsExactly("blocks.5.hook_resid_post");
  }

  @ParameterizedTest
  @ValueSource(strings = {"25", "blocks.999999.hook_resid_post"})
  void suggest_layerBeyondLast_givesLastLayer(String given) {
    assertThat(registry.release(GEMMA).suggest(given)).containsExactly("blocks.24.hook_resid_post");
  }

  @Test
  void suggest_equallyNearIds_keepOrderOfRelease() {
    assertThat(registry.release(GEMMA).suggest("blocks.hook_resid_post"))
        .containsExactly(
            "blocks.0.hook_resid_post", "blocks.1.hook_resid_post", "blocks.2.hook_resid_post");
  }

  @Test
  void suggest_releaseWithoutLayers_comparesNames() {
    assertThat(registry.release("all-minilm-l6-v2-matryoshka-demo").suggest("last_hidden_state_5"))
        .containsExactly("last_hidden_state");
  }

  @Test
  void find_unknownSae_namesNearestCountAndLayers() {
    UnknownSaeException thrown =
        catchThrowableOfType(UnknownSaeException.class, () -> registry.find(GEMMA, "layer 5"));

    assertThat(thrown)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "unknown SAE 'layer 5' in release 'gemma-2-2b-res-matryoshka-dc': did you mean"
                + " 'blocks.5.hook_resid_post'? Number of SAEs in this release: 25,"
                + " layers 0 to 24.");
    assertThat(thrown.release()).isEqualTo(GEMMA);
    assertThat(thrown.saeId()).isEqualTo("layer 5");
    assertThat(thrown.suggestions()).containsExactly("blocks.5.hook_resid_post");
  }

  @Test
  void find_unknownSaeNothingNear_namesFirstFew() {
    assertThatThrownBy(() -> registry.find("all-minilm-l6-v2-matryoshka-demo", "zzz"))
        .isInstanceOf(UnknownSaeException.class)
        .hasMessageEndingWith(
            "valid are, for example, 'last_hidden_state'. Number of SAEs in this release: 1.");
  }

  // ---- files of a user ----

  @Test
  void load_userFile_comesAfterBundled() throws IOException {
    ReleaseRegistry loaded = ReleaseRegistry.load(write("a.json", "mine"), write("b.json", "next"));

    assertThat(loaded.releases()).extracting(Release::id).endsWith("mine", "next").hasSize(86);
    assertThat(loaded.find("mine", "five").location())
        .isEqualTo(new SaeLocation.Directory(folder.resolve("saes/five")));
    assertThat(registry.releases()).hasSize(84);
  }

  @Test
  void load_noFile_isBundled() throws IOException {
    assertThat(ReleaseRegistry.load()).isSameAs(registry);
  }

  @Test
  void withFile_nameTaken_isRefused() throws IOException {
    Path file = write("a.json", GEMMA);

    assertThatThrownBy(() -> registry.withFile(file))
        .isInstanceOf(RegistryException.class)
        .hasMessage(
            "registry file %s, at $.release: expected a name that is not taken, got '%s',"
                    .formatted(file, GEMMA)
                + " which is known already; rename the release");
  }

  @Test
  void withFile_absentFile_isNamed() {
    Path file = folder.resolve("absent.json");

    assertThatThrownBy(() -> registry.withFile(file))
        .isInstanceOf(RegistryException.class)
        .hasMessage("registry file " + file + ", at $: expected a file, found none");
  }

  @Test
  void withFile_folderInPlaceOfFile_isNamed() {
    assertThatThrownBy(() -> registry.withFile(folder))
        .isInstanceOf(RegistryException.class)
        .hasMessageStartingWith("registry file " + folder + ", at $: cannot be read: ");
  }

  @Test
  void releases_cannotBeChanged() {
    List<Release> releases = registry.releases();

    assertThatThrownBy(releases::clear).isInstanceOf(UnsupportedOperationException.class);
  }

  private Path write(String name, String release) throws IOException {
    return Files.writeString(folder.resolve(name), RegistryReaderTest.table(release));
  }
}
