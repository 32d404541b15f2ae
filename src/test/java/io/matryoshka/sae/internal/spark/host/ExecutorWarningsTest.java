package io.matryoshka.sae.internal.spark.host;

import static org.assertj.core.api.Assertions.assertThat;

import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.spark.support.Bookworm;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Optional;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is said of executors that have too few threads or too little memory. */
@Tag("spark")
class ExecutorWarningsTest {

  @Test
  void threadWarning_fewerThreadsThanCores_namesTheSetting() {
    assertThat(ExecutorCheck.threadWarning(1, 8))
        .get()
        .asString()
        .contains("1 thread for the 8 cores", "spark.executorEnv.OMP_NUM_THREADS=8");
    assertThat(ExecutorCheck.threadWarning(8, 8)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "1g, 300m, 0, true",
    "1g, 2048m, 0, false",
    "1g, 2048, 1, true",
    "1g, 2g, 1, true",
    "30g, '', 1000, false", // A tenth of the heap.
    "29g, '', 1000, true",
    "1g, '', 0, true", // 384 MiB at least.
    "8192m, 4096m, 2048, false",
    "8192m, 4096m, 2049, true"
  })
  void memoryWarning_lessThanNeeded_namesTheSetting(
      String memory, String overhead, long weightMib, boolean warns) {
    SparkConf conf = new SparkConf(false).set("spark.executor.memory", memory);
    if (!overhead.isEmpty()) {
      conf.set("spark.executor.memoryOverhead", overhead);
    }

    Optional<String> warning = MemoryCheck.warning(conf, "this SAE", weightMib << 20);

    assertThat(warning.isPresent()).isEqualTo(warns);
    warning.ifPresent(
        text ->
            assertThat(text)
                .contains("this SAE")
                .contains("spark.executor.memoryOverhead=" + (2048 + weightMib) + "m"));
  }

  /** As in its file: 5,526,968 bytes with the header. */
  @Test
  void weightBytes_ofAModel_areThoseOfItsFile() throws IOException {
    try (LanguageModel model = LanguageModel.load(Bookworm.MODEL)) {
      long file = Files.size(Bookworm.MODEL.resolve("model.safetensors"));
      assertThat(model.weightBytes()).isBetween(file - 50_000, file);
    }
  }
}
