package io.matryoshka.sae.spark;

import static org.assertj.core.api.Assertions.assertThat;

import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

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
}
