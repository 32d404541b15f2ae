package io.matryoshka.sae.spark;

import static org.assertj.core.api.Assertions.assertThat;

import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What Spark is told before it starts, and what is said where it was not. */
@Tag("spark")
class SaeSparkTest {

  private static SparkConf conf() {
    return new SparkConf(false);
  }

  @Test
  void configure_coresKnown_givesThemToThePoolOfThreads() {
    SparkConf conf = SaeSpark.configure(conf().set("spark.executor.cores", "6"));

    assertThat(conf.get("spark.executorEnv.OMP_NUM_THREADS")).isEqualTo("6");
    assertThat(conf.get("spark.executor.memoryOverhead")).isEqualTo("4096m");
  }

  @Test
  void configure_setByTheUser_staysSo() {
    SparkConf conf =
        SaeSpark.configure(
            conf()
                .set("spark.executor.cores", "6")
                .set("spark.executorEnv.OMP_NUM_THREADS", "3")
                .set("spark.executor.memoryOverhead", "9g"));

    assertThat(conf.get("spark.executorEnv.OMP_NUM_THREADS")).isEqualTo("3");
    assertThat(conf.get("spark.executor.memoryOverhead")).isEqualTo("9g");
  }

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
    "1g, '', 300, false",
    "1g, '', 400, true", // 384 MiB at least
    "8g, '', 800, false", // a tenth
    "8g, '', 900, true",
    "8g, 3g, 3072, false",
    "8g, 3000, 3072, true",
    "8192m, 4096m, 4097, true"
  })
  void memoryWarning_lessThanNeeded_namesTheSetting(
      String memory, String overhead, long needed, boolean warns) {
    SparkConf conf = conf().set("spark.executor.memory", memory);
    if (!overhead.isEmpty()) {
      conf.set("spark.executor.memoryOverhead", overhead);
    }

    assertThat(SaeSpark.memoryWarning(conf, needed).isPresent()).isEqualTo(warns);
    SaeSpark.memoryWarning(conf, needed)
        .ifPresent(
            text -> assertThat(text).contains("spark.executor.memoryOverhead=" + needed + "m"));
  }
}
