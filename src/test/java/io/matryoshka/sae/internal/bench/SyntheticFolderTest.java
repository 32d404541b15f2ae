package io.matryoshka.sae.internal.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.support.ChildJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SyntheticFolderTest {

  private static final SyntheticSae SAE_MADE = new SyntheticSae(16, 192, 3);

  @TempDir private Path folder;

  @Test
  void temporary_isLoadedAndGoneAfterClosing() throws IOException {
    Path path;
    try (SyntheticFolder made = SyntheticFolder.temporary(SAE_MADE)) {
      path = made.path();
      try (SAE sae = SAE.load(path)) {
        assertThat(sae.widths()).containsExactly(128, 192);
        for (int latent : new int[] {0, 63, 64, 191}) {
          assertThat(sae.decoderRows(latent, latent + 1))
              .containsExactly(SAE_MADE.direction(latent));
          assertThat(sae.encoderRows(latent, latent + 1))
              .containsExactly(SAE_MADE.direction(latent));
        }
      }
    }
    assertThat(path).doesNotExist();
  }

  @Test
  void temporary_jvmEndsBeforeClosing_isGone() throws Exception {
    try (ChildJvm child = ChildJvm.start(ExitMain.class)) {
      List<String> lines = child.finish();
      assertThat(lines).hasSize(1);
      assertThat(Path.of(lines.get(0))).doesNotExist();
    }
  }

  /** Prints where it has put an SAE, then ends as an interrupt would end it. */
  static final class ExitMain {
    public static void main(String[] args) throws IOException {
      System.out.println(SyntheticFolder.temporary(SAE_MADE).path());
      System.exit(0);
    }
  }

  @Test
  void kept_staysAndIsUsedAgain() throws IOException {
    Path path;
    try (SyntheticFolder made = SyntheticFolder.kept(SAE_MADE, folder)) {
      path = made.path();
    }
    Path weights = path.resolve("sae_weights.safetensors");
    FileTime written = FileTime.fromMillis(1_000_000);
    Files.setLastModifiedTime(weights, written);
    SyntheticFolder.kept(SAE_MADE, folder).close();
    assertThat(Files.getLastModifiedTime(weights)).isEqualTo(written);
  }

  @Test
  void syntheticSae_wEncAboveTwoGibibytes_isRefused() {
    assertThatThrownBy(() -> new SyntheticSae(16384, 32768, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("below 2 GiB, got d_in = 16384 and d_sae = 32768");
  }
}
