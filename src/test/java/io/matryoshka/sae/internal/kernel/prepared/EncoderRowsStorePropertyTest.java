package io.matryoshka.sae.internal.kernel.prepared;

import static org.assertj.core.api.Assertions.assertThat;

import io.matryoshka.sae.internal.kernel.SyntheticEncoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

/** Random damage to a prepared encoder: it is noticed, or it is where nothing lies. */
class EncoderRowsStorePropertyTest {

  private static final SyntheticEncoder ENCODER = new SyntheticEncoder(3);
  private static Path file;
  private static byte[] sound;
  private static long digest;

  @BeforeContainer
  static void write() throws IOException {
    file = Files.createTempDirectory("prepared").resolve("synthetic.encoder");
    ENCODER.loadOrBuild(file);
    sound = Files.readAllBytes(file);
    digest = ENCODER.digest();
  }

  @AfterContainer
  static void delete() throws IOException {
    Files.deleteIfExists(file);
    Files.deleteIfExists(file.getParent());
  }

  @Property(tries = 300)
  void loadOrBuild_bytesChanged_givesTheLayout(
      @ForAll @IntRange(min = 1, max = 4) int changes, @ForAll Random random) throws IOException {
    byte[] damaged = sound.clone();
    for (int i = 0; i < changes; i++) {
      damaged[random.nextInt(damaged.length)] ^= (byte) (1 + random.nextInt(255));
    }
    replaceAndCompare(damaged);
  }

  @Property(tries = 100)
  void loadOrBuild_cutAndFilledUp_givesTheLayout(@ForAll Random random) throws IOException {
    byte[] damaged = new byte[sound.length];
    System.arraycopy(sound, 0, damaged, 0, random.nextInt(sound.length));
    replaceAndCompare(damaged);
  }

  private static void replaceAndCompare(byte[] content) throws IOException {
    Files.delete(file);
    Files.write(file, content);
    assertThat(SyntheticEncoder.digest(ENCODER.loadOrBuild(file))).isEqualTo(digest);
  }
}
