package io.matryoshka.sae.internal.spark.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.spark.support.Bookworm;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model travels by name, and a host whose model is another one is found out. */
@Tag("spark")
class HostModelTest {

  private static final Path MODEL = Bookworm.MODEL;

  @TempDir private Path folder;

  @Test
  void model_thatDiffersFromThatOfTheDriver_isRefused() throws Exception {
    Path own = Files.createDirectories(folder.resolve("model"));
    for (String name : List.of("config.json", "model.safetensors", "tokenizer.json")) {
      Files.copy(MODEL.resolve(name), own.resolve(name));
    }
    HostModel ref = HostModel.folder(own.toString()).resolve(new Configuration());
    byte[] weights = Files.readAllBytes(own.resolve("model.safetensors"));
    weights[weights.length - 1] ^= 1;
    Path other = Files.createDirectories(folder.resolve("other"));
    Files.copy(MODEL.resolve("config.json"), other.resolve("config.json"));
    Files.write(other.resolve("model.safetensors"), weights);

    HostModel travelled = travel(ref);
    assertThat(travelled).isEqualTo(ref);
    try (LanguageModel same = LanguageModel.load(MODEL)) {
      travelled.requireSame(travelled.describe(same)); // The same files in another folder.
    }
    try (LanguageModel changed = LanguageModel.load(other)) {
      String here = travelled.describe(changed);
      assertThatThrownBy(() -> travelled.requireSame(here))
          .isInstanceOf(JobFault.class)
          .hasMessageContaining("the language model of this host is not that of the driver");
    }
  }

  private static HostModel travel(HostModel ref) throws Exception {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(ref);
    }
    try (ObjectInputStream in =
        new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
      return (HostModel) in.readObject();
    }
  }
}
