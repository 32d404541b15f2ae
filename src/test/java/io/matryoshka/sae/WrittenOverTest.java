package io.matryoshka.sae;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.matryoshka.sae.support.SourceFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What happens when a program saves to the weights of an open SAE. */
class WrittenOverTest {

  private static final Path DEMO =
      SourceFiles.PROJECT.resolve("releases/demo/all-minilm-l6-v2-matryoshka");

  @TempDir Path folder;
  private Path weights;
  private float[] x;
  private SAE sae;

  @BeforeEach
  void copy() throws IOException {
    for (String name : new String[] {"cfg.json", "sae_weights.safetensors"}) {
      Files.copy(DEMO.resolve(name), folder.resolve(name));
    }
    weights = folder.resolve("sae_weights.safetensors");
    Files.setLastModifiedTime(weights, FileTime.fromMillis(1_700_000_000_000L));
  }

  private void open(LoadOptions.Engine engine) throws IOException {
    sae = SAE.load(folder, LoadOptions.defaults().engine(engine).preparedCache(false));
    x = new float[2 * sae.dIn()];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) Math.sin(i);
    }
  }

  @AfterEach
  void close() {
    sae.close();
  }

  private void assertRefused(ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining(weights.toString())
        .hasMessageContaining("was written over while the SAE is open")
        .hasMessageContaining("renamed");
  }

  @ParameterizedTest
  @EnumSource(LoadOptions.Engine.class)
  void calls_shorterFile_areRefused(LoadOptions.Engine engine) throws IOException {
    open(engine);
    SparseLatents latents = sae.encodeSparse(x);
    SAE view = sae.prefix(128);
    Files.write(weights, new byte[100]);
    assertRefused(() -> sae.decode(latents));
    assertRefused(() -> sae.encodeSparse(x));
    assertRefused(() -> view.encodeSparse(x));
    assertRefused(() -> view.prefix(32).encodeSparse(x));
  }

  /** The encoder is read at the first encode, so that one must look, too. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void encode_otherWeightsOfTheSameSize_isRefused(boolean encodedBefore) throws IOException {
    open(LoadOptions.Engine.FAST);
    if (encodedBefore) {
      sae.encodeSparse(x);
    }
    byte[] bytes = Files.readAllBytes(weights);
    bytes[bytes.length - 1] ^= 1;
    Files.write(weights, bytes);
    assertRefused(() -> sae.encodeSparse(x));
  }

  @Test
  void calls_fileReplacedByARename_goOnWithTheOldWeights() throws IOException {
    open(LoadOptions.Engine.FAST);
    SparseLatents before = sae.encodeSparse(x);
    float[] reconstruction = sae.decode(before);
    byte[] bytes = Files.readAllBytes(weights);
    Arrays.fill(bytes, bytes.length / 2, bytes.length, (byte) 0);
    Path other = Files.write(folder.resolve("other"), bytes);
    Files.move(other, weights, StandardCopyOption.REPLACE_EXISTING);
    assertThat(sae.encodeSparse(x).activations()).isEqualTo(before.activations());
    assertThat(sae.decode(before)).isEqualTo(reconstruction);
    Files.delete(weights);
    assertThat(sae.decode(before)).isEqualTo(reconstruction);
  }

  @Test
  void calls_closed_sayThat() throws IOException {
    open(LoadOptions.Engine.FAST);
    sae.close();
    Files.write(weights, new byte[100]);
    assertThatThrownBy(() -> sae.encodeSparse(x))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
  }
}
